-- Chapter 3 of the Rules: how the sets of the lists reach people.

-- ## p30
-- What came back by the day, in order; the net after each: one more with a delivered
-- set, one less with a returned one, never below none.
create temp table delivery as
with counted as (
    select
        delivery_id, list_month, iin, contract_id, status, delivered_on, amount,
        sum(
            case status when 'delivered' then 1 when 'returned' then -1 else 0 end
        ) over so_far as total,
        count(*) filter (status = 'delivered') over so_far as delivered_number
    from stg_deliveries
    where applies() and delivered_on <= as_of()
    window so_far as (
        partition by list_month, iin order by delivered_on, delivery_id
        rows between unbounded preceding and current row
    )
)
select
    *,
    total - least(
        0,
        min(total) over (
            partition by list_month, iin order by delivered_on, delivery_id
            rows between unbounded preceding and current row
        )
    ) as net
from counted;

-- The sets of every row of the lists: one, or one per ground in order.
create temp table list_set as
with known as (
    select
        list_month, iin,
        last(net order by delivered_on, delivery_id) as net,
        last(status order by delivered_on, delivery_id)
            filter (status <> 'delivered') as last_trouble
    from delivery
    group by list_month, iin
),
numbered as (
    select
        *,
        unnest(
            if(
                policy('food_set.sets_per_person') = 'one',
                [1],
                range(1, len(string_split(grounds, '|')) + 1)
            )
        ) as number
    from listed
)
select
    numbered.*,
    if(
        number <= net, 'delivered', coalesce(last_trouble, 'outstanding')
    ) as delivery_status,
    delivery_status <> 'delivered' and standing = 'ended' as is_withdrawn
from numbered
left join known using (list_month, iin);

create table floor.food_set_lists as
select
    list_month, iin, list_no, listed_on, region_kato, district_kato, primary_ground,
    grounds, standing, ended_on, ended_reason, delivery_status
from list_set
where number = 1;

create table floor.delivery_findings as
with sets as (
    select iin, max(number) as sets
    from list_set
    where list_month = list_month()
    group by iin
),
judged as (
    select
        delivery_id, delivery.iin,
        case
            when sets is null then 'not_on_list'
            when status <> 'delivered' then null
            when death_date < delivered_on then 'after_death'
            when net > sets then 'repeated'
        end as finding
    from delivery
    left join sets using (iin)
    left join person using (iin)
    where list_drawn() and list_month = list_month()
)
from judged
where finding is not null;

create table floor.list_reconciliation as
with row_count as (
    select
        list_month, region_kato, count(*) as listed,
        count(*) filter (standing = 'ended') as ended
    from floor.food_set_lists
    where list_no is not null
    group by list_month, region_kato
),
set_count as (
    select
        list_month, region_kato, count(*) as sets,
        count(*) filter (delivery_status = 'delivered') as delivered,
        count(*) filter (delivery_status = 'failed') as failed,
        count(*) filter (delivery_status = 'returned') as returned,
        count(*) filter (delivery_status = 'outstanding') as outstanding,
        count(*) filter (is_withdrawn) as withdrawn
    from list_set
    where list_no is not null
    group by list_month, region_kato
),
money as (
    select
        list_month, region_kato,
        sum(case status when 'delivered' then amount when 'returned' then -amount end)
            as amount_delivered
    from floor.food_set_lists
    join delivery using (list_month, iin)
    where list_no is not null
    group by list_month, region_kato
)
select
    list_month, region_kato, listed, ended, sets, delivered, failed, returned,
    outstanding, withdrawn,
    coalesce(amount_delivered, 0)::decimal(18, 2) as amount_delivered
from row_count
join set_count using (list_month, region_kato)
left join money using (list_month, region_kato);

-- ## p28
create temp table contract as
select contract_id, kato as region_kato, supplier_bin, signed_on, set_cost, sets_total
from stg_supply_contracts
where
    list_drawn()
    and signed_on <= as_of()
    and within(as_of(), valid_from, valid_to);

create table floor.contract_findings as
with handed_over as (
    select contract_id, count(*) as sets
    from delivery
    where status = 'delivered' and contract_id is not null
    group by contract_id
),
known_supplier as (
    select bin, within(as_of(), valid_from, valid_to) as in_force
    from law_supplier
    where recorded_on <= known_at()
),
judged as (
    select
        contract_id, contract.region_kato,
        unnest([
            if(is_number(supplier_bin), null, ['invalid_bin', 'p28']),
            if(contract.set_cost < floor_cost(), ['below_floor', 'p27'], null),
            if(contract.set_cost <> norm.set_cost, ['price_differs', 'p28'], null),
            if(handed_over.sets > sets_total, ['over_delivered', 'p28'], null),
            if(
                exists (from known_supplier)
                and supplier_bin not in (select bin from known_supplier where in_force),
                ['supplier_not_determined', 'p28'],
                null
            )
        ]) as found
    from contract
    left join norm on norm.region_kato = contract.region_kato and mode = 'in_kind'
    left join handed_over using (contract_id)
)
select contract_id, region_kato, found[1] as finding, found[2] as paragraph
from judged
where found is not null;

-- The sets of the month by the norm of the region they were listed in. A set that was
-- handed over in kind keeps the contract it came from.
create temp table planned_set as
with handed_over as (
    select list_month, iin, delivered_number as number, contract_id
    from delivery
    where status = 'delivered'
),
known as (
    select
        list_set.*, mode, set_cost,
        if(
            mode = 'in_kind' and delivery_status = 'delivered', contract_id, null
        ) as kept_contract_id,
        mode = 'in_kind' and not is_withdrawn and kept_contract_id is null as is_rest
    from list_set
    left join norm using (region_kato)
    left join handed_over using (list_month, iin, number)
    where list_drawn() and list_month = list_month()
)
select
    *,
    if(
        is_rest,
        row_number() over (partition by region_kato, is_rest order by iin, number),
        null
    ) as region_number
from known;

create temp table contract_share as
with used as (
    select contract_id, count(*) as sets_used
    from delivery
    where status = 'delivered' and list_month < list_month()
    group by contract_id
),
kept as (
    select kept_contract_id as contract_id, count(*) as sets_kept
    from planned_set
    where kept_contract_id is not null
    group by kept_contract_id
),
remaining as (
    select
        contract.*,
        greatest(
            sets_total - coalesce(sets_used, 0) - coalesce(sets_kept, 0), 0
        ) as sets_left
    from contract
    left join used using (contract_id)
    left join kept using (contract_id)
)
select
    contract_id, region_kato,
    sum(sets_left) over so_far - sets_left as after_number,
    sum(sets_left) over so_far as up_to_number
from remaining
window so_far as (
    partition by region_kato order by signed_on, contract_id
    rows between unbounded preceding and current row
);

-- ## p29
-- Two digits for a letter, from A = 10; the country and the check digits go last.
create temp macro iban_number(iban) as
    array_to_string(
        list_transform(
            string_split(iban[5:] || iban[1:4], ''),
            lambda c: if(c between '0' and '9', c, (ascii(c) - 55)::varchar)
        ),
        ''
    )::hugeint;

-- Whose account may be paid for whom: one's own, and for someone under 18 that of a
-- living parent or guardian.
create temp table payee as
with paid as (
    select distinct iin
    from planned_set
    where mode = 'cash' and not is_withdrawn
),
minor as (
    select iin
    from paid
    join person using (iin)
    where
        policy('food_set.account_of') = 'own_or_representative'
        and as_of() < birthday(birth_date, 18)
),
link as (
    select child_iin, parent_iin
    from stg_family_links
    where
        within(as_of(), valid_from, valid_to) and child_iin in (select iin from minor)
),
living as (
    select iin
    from stg_persons
    where
        iin in (select parent_iin from link) and happened(death_date) is null
)
select iin, iin as account_iin, true as is_own
from paid
union all
select child_iin, parent_iin, false
from link
where parent_iin in (select iin from living);

create temp table account as
with shaped as materialized (
    select iin as account_iin, iban, confirmed_on
    from stg_bank_accounts
    where
        confirmed_on <= as_of()
        and iin in (select account_iin from payee)
        and regexp_full_match(iban, 'KZ[0-9]{5}[0-9A-Z]{13}')
)
select payee.iin, iban, account_iin
from shaped
join payee using (account_iin)
where iban_number(iban) % 97 = 1
qualify row_number() over (
    partition by payee.iin
    order by is_own desc, confirmed_on desc, iban, account_iin
) = 1;

-- ## p28 p29 p30 the plan
create table floor.delivery_plan as
select
    list_month, iin, planned_set.region_kato, mode,
    coalesce(kept_contract_id, share.contract_id) as contract_id,
    case
        when is_withdrawn then 'withdrawn'
        when mode = 'cash' then if(iban is null, 'no_account', 'account')
        when coalesce(kept_contract_id, share.contract_id) is not null then 'allocated'
        else 'unallocated'
    end as allocation,
    if(mode = 'cash' and not is_withdrawn, iban, null) as iban,
    if(mode = 'cash' and not is_withdrawn, account_iin, null) as account_iin,
    if(is_withdrawn, null, set_cost) as amount,
    delivery_status, list_no, standing,
    number
from planned_set
left join contract_share as share
    on share.region_kato = planned_set.region_kato
    and region_number > after_number
    and region_number <= up_to_number
left join account using (iin);
