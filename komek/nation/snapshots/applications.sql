select
    s.o, s.ghost, 'E' || lpad(s.o::varchar, 9, '0') as application_id,
    case when flaw is distinct from 'incomplete:iin' then s.iin end as iin,
    case when flaw is distinct from 'incomplete:last_name'
        then last_name_of(s.hh, s.sex) end as last_name,
    case when flaw is distinct from 'incomplete:first_name'
        then first_name_of(s.i, s.sex) end as first_name,
    middle_name_of(s.i, s.i, s.sex) as middle_name,
    case when flaw = 'email_only'
        or draw(s.o, 'mail') < 0.7 and flaw is distinct from 'incomplete:phone'
        then 'user' || s.o || '@example.com' end as email,
    case when flaw is distinct from 'incomplete:postal_address'
        then address_of(s.hh) end as postal_address,
    case when flaw is null or flaw not in ('incomplete:phone', 'email_only')
        then '+7000' || lpad((bits(s.o, 'phone') % 10000000)::varchar, 7, '0') end
        as phone,
    case when flaw is distinct from 'service_not_covered' then s.service_code
        when pick(s.o, 'other service', 2) = 0 then 26 end::integer as service_code,
    case when flaw is distinct from 'incomplete:region_kato' then s.region end
        as region_kato,
    case when flaw is distinct from 'incomplete:addressee'
        then (['state_corporation', 'local_executive_body', 'mse_department'])[1 + (
            case when s.service_code <= 6 or s.service_code between 16 and 18 then 0
                when s.service_code = 20 then 2 else 1 end
            + case when flaw = 'wrong_addressee' then 1 + pick(s.o, 'addressee', 2)
                else 0 end) % 3]
    end as addressee,
    case when flaw is distinct from 'incomplete:content'
        then 'Прошу оказать услугу ' || s.service_code end as content,
    case when flaw is distinct from 'no_attachment'
        then 1 + pick(s.o, 'attachments', 6)
        when pick(s.o, 'no attachment', 3) > 0 then 0
    end::integer as attachment_count,
    if(flaw = 'not_signed', 'false', 'true') as signed,
    s.day as submitted_on,
    case when s.forwarded_on <= getvariable('t') then s.forwarded_on end
        as forwarded_on,
    case when s.forwarded_on <= getvariable('t') then s.forwarded_to_kato end
        as forwarded_to_kato,
    case when s.checked_on <= getvariable('t') then s.checked_on end as checked_on,
    case when s.contacted_on <= getvariable('t') then s.contacted_on end
        as contacted_on,
    case when s.case_formed_on <= getvariable('t') then s.case_formed_on end
        as case_formed_on,
    case when s.decided_on <= getvariable('t') then s.survey_mode end as survey_mode,
    case when s.decided_on <= getvariable('t') then s.decided_on end as decided_on,
    case when s.decided_on <= getvariable('t')
        then if(draw(s.o, 'decision') < 0.83, 'granted', 'refused') end as decision,
    case when s.notified_on <= getvariable('t') then s.notified_on end as notified_on,
    case when s.notified_on <= getvariable('t') and (flaw is null
        or flaw not in ('no_channel', 'result_not_electronic'))
        then (['sms', 'cabinet', 'service_reply'])[1 + pick(s.o, 'channel',
            if(flaw = 'duplicate_notification', 2, 3))] end
        as notification_channel,
    case when s.notified_on <= getvariable('t')
        then case
            when flaw = 'duplicate_notification'
                or flaw is null and pick(s.o, 'channel', 3) = 2
                and draw(s.o, 'by reply') < 0.2 then 'true'
            when draw(s.o, 'not said') >= 0.1 then 'false'
        end end as reply_in_document_system
from submitted as s
where s.day <= getvariable('t')
