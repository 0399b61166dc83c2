select
    s.o, s.ghost, 'E' || lpad(s.o::varchar, 9, '0') as application_id,
    case when draw(s.o, 'no iin') >= 0.004 then s.iin end as iin,
    last_name_of(s.hh, s.sex) as last_name, first_name_of(s.i, s.sex) as first_name,
    middle_name_of(s.i, s.i, s.sex) as middle_name,
    case when draw(s.o, 'mail') < 0.7
        then 'user' || s.o || '@example.com' end as email,
    case when draw(s.o, 'no address') >= 0.01
        then address_of(s.hh) end as postal_address,
    case when draw(s.o, 'no phone') >= 0.006
        then '+7000' || lpad((bits(s.o, 'phone') % 10000000)::varchar, 7, '0') end
        as phone,
    case when draw(s.o, 'no service') >= 0.002
        then if(draw(s.o, 'other service') < 0.003, 26, s.service_code) end::integer
        as service_code,
    case when draw(s.o, 'no region') >= 0.004 then s.region end as region_kato,
    case
        when draw(s.o, 'addressee') < 0.004 then null
        when draw(s.o, 'addressee') < 0.02
            then (['state_corporation', 'local_executive_body', 'mse_department'])[1
                + pick(s.o, 'wrong addressee', 3)]
        when s.service_code <= 6 or s.service_code between 16 and 18
            then 'state_corporation'
        when s.service_code = 20 then 'mse_department'
        else 'local_executive_body'
    end as addressee,
    case when draw(s.o, 'no content') >= 0.004
        then 'Прошу оказать услугу ' || s.service_code end as content,
    case when draw(s.o, 'no attachment') >= 0.01
        then 1 + pick(s.o, 'attachments', 6)
        when draw(s.o, 'no attachment') >= 0.003 then 0
    end::integer as attachment_count,
    case when draw(s.o, 'signed') < 0.985 then 'true' else 'false' end as signed,
    s.day as submitted_on,
    case when s.forwarded_on <= getvariable('t') then s.forwarded_on end
        as forwarded_on,
    case when s.forwarded_on <= getvariable('t') then left(s.kato, 4) || '00000' end
        as forwarded_to_kato,
    case when s.checked_on <= getvariable('t') then s.checked_on end as checked_on,
    case when s.contacted_on <= getvariable('t') then s.contacted_on end
        as contacted_on,
    case when s.case_formed_on <= getvariable('t') then s.case_formed_on end
        as case_formed_on,
    case when s.service_code = 15 and s.decided_on <= getvariable('t')
        then if(draw(s.o, 'survey')
            < if(s.day < getvariable('emergency_from'), 0.3, 0.93), 'remote', 'in_person') end as survey_mode,
    case when s.decided_on <= getvariable('t') then s.decided_on end as decided_on,
    case when s.decided_on <= getvariable('t')
        then if(draw(s.o, 'decision') < 0.83, 'granted', 'refused') end as decision,
    case when s.notified_on <= getvariable('t') then s.notified_on end as notified_on,
    case when s.notified_on <= getvariable('t') and draw(s.o, 'channel') < 0.98
        then (['sms', 'cabinet', 'service_reply'])[1 + pick(s.o, 'channel', 3)] end
        as notification_channel,
    case when s.notified_on <= getvariable('t')
        then if(draw(s.o, 'also on paper') < 0.05, 'true', 'false') end
        as reply_in_document_system
from submitted as s
where s.day <= getvariable('t')
