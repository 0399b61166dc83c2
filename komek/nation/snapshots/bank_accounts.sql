select
    o, null::varchar as ghost, iin, iban,
    if(confirmed_again_on <= getvariable('t'), confirmed_again_on, confirmed_on)
        as confirmed_on
from accounts
