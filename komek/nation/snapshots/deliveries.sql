select
    o, ghost, delivery_id, iin, list_month, mode, contract_id, status, delivered_on,
    amount
from delivered
where delivered_on <= getvariable('t')
