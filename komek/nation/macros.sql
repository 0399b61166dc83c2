-- Draws: a number is a function of (who, what for, seed), never of the order in which
-- rows come by, so that the same call writes the same bytes.
create macro bits(i, what) as hash(i::bigint, what, getvariable('seed'));
create macro draw(i, what) as (bits(i, what) >> 11) / 9007199254740992.0;
create macro pick(i, what, n) as (bits(i, what) % (n)::ubigint)::integer;
create macro on_workday(d) as
    (d)::date + case isodow(d) when 6 then 2 when 7 then 1 else 0 end;
create macro scaled(n) as round((n) * getvariable('scale'))::bigint;

-- Places spread evenly over [0, 1): each share is met soon, in small nations too.
create macro spread(n) as (n * 0.6180339887498949) % 1;

-- What befalls a row as data/marginals/situations.csv has it, by its place: the last
-- `from_share` at or below it. Beyond the rates nothing does.
create table flaws as
select
    entity, situation,
    sum(rate) over (partition by entity order by situation) - rate as from_share
from marginal_situations
union all
select entity, null, sum(rate) from marginal_situations group by entity;

-- The day a roll that is not exported daily first shows what happened on a day.
create macro exported(d) as
    case when d <= getvariable('reference_date') then d
        else getvariable('reference_date')
            + (ceil((d - getvariable('reference_date'))
                / getvariable('registers_exported_days'))
                * getvariable('registers_exported_days'))::integer
    end;

-- Whoever moves goes to one of the three big cities.
create macro new_home(hh) as
    getvariable('capitals')[1 + pick(hh, 'away', 3)] || (11 + pick(hh, 'new home', 4))
    || '00000';

-- The check digit of eleven digits (as a number): weights 1 to 11, then 3 to 11, 1, 2;
-- 10 twice means that the number is invalid.
create macro first_sum(n) as (
    (n // 10000000000) % 10 + 2 * ((n // 1000000000) % 10)
    + 3 * ((n // 100000000) % 10) + 4 * ((n // 10000000) % 10)
    + 5 * ((n // 1000000) % 10) + 6 * ((n // 100000) % 10)
    + 7 * ((n // 10000) % 10) + 8 * ((n // 1000) % 10)
    + 9 * ((n // 100) % 10) + 10 * ((n // 10) % 10)) % 11;
create macro second_sum(n) as (
    3 * ((n // 10000000000) % 10) + 4 * ((n // 1000000000) % 10)
    + 5 * ((n // 100000000) % 10) + 6 * ((n // 10000000) % 10)
    + 7 * ((n // 1000000) % 10) + 8 * ((n // 100000) % 10)
    + 9 * ((n // 10000) % 10) + 10 * ((n // 1000) % 10)
    + 11 * ((n // 100) % 10) + ((n // 10) % 10) + 2 * (n % 10)) % 11;
create macro check_digit(n) as
    case when first_sum(n) < 10 then first_sum(n) else second_sum(n) end;

-- The first eleven digits: birth date, century and sex, serial.
-- Serials come in pairs (2s, 2s + 1): the last digit weighs 11 and then 2, so of an
-- invalid number and its neighbour one is valid.
-- 3 to 6 stand for men and women of the 20th and the 21st century. Nobody has 7 to 9 or
-- 0: `apart` of 4 gives a valid number that the population register does not have.
create macro iin_stem(birth, sex, k, apart) as
    (year(birth) % 100) * 1000000000 + month(birth) * 10000000 + day(birth) * 100000
    + (case when year(birth) < 2000 then 3 else 5 end + (sex = 'F')::integer + apart)
        % 10 * 10000
    + 2 * ((k * 2731 + day(birth) * 157 + year(birth) * 31) % 5000);
create macro valid_stem(n) as n + (check_digit(n) = 10)::integer;
create macro sealed(n) as lpad((n * 10 + check_digit(n))::varchar, 12, '0');

-- A supplier's BIN: year and month of registration, 4 and 0 of a resident company, a
-- serial, and the check digit of an IIN.
create macro bin_stem(i) as
    ((10 + pick(i, 'bin year', 10)) * 100 + 1 + pick(i, 'bin month', 12))::bigint
        * 10000000
    + 4000000 + 2 * pick(i, 'bin serial', 5000);

-- IBAN: KZ, check digits, bank, account; the remainder is that of the digits with K, Z
-- (and T in an account) read as 20, 35 and 29.
create macro iban_of(bank, account) as
    'KZ' || lpad((98 - (bank || replace(account, 'T', '29') || '203500')::hugeint % 97)
        ::varchar, 2, '0') || bank || account;
create macro person_iban(i, which) as iban_of(
    (['125', '601', '722', '914', '926', '965'])[1 + pick(i, 'bank' || which, 6)],
    case when pick(i, 'letter' || which, 10) = 0 then 'T' else '0' end
    || lpad((bits(i, 'account' || which) % 1000000000000)::varchar, 12, '0'));
