{#
    IIN: 12 digits, not all zero; the last is sum(weight x digit) mod 11 over the first
    eleven with weights 1..11, and with weights 3..11, 1, 2 where that gives 10; 10 again:
    invalid. (A check digit is never 10, so the first sum alone decides where it is not.)
    `packed` is the IIN read as hexadecimal behind a leading 1: its digits are then four
    bits each, ten times cheaper to take apart than text.
#}
{% macro iin_is_valid(iin, packed) -%}
    (
        {{ matches(iin, '^[0-9]{12}$') }}
        and {{ iin }} <> '000000000000'
        and (
            {{ iin_sum(packed, range(1, 12)) }} = {{ iin_digit(packed, 12) }}
            or (
                {{ iin_sum(packed, range(1, 12)) }} = 10
                and {{ iin_sum(packed, [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) }}
                = {{ iin_digit(packed, 12) }}
            )
        )
    )
{%- endmacro %}

{% macro iin_sum(packed, weights) -%}
    (
        {%- for weight in weights -%}
            {{ weight }} * {{ iin_digit(packed, loop.index) }}
            {%- if not loop.last %} + {% endif -%}
        {%- endfor -%}
    ) % 11
{%- endmacro %}

{% macro iin_digit(packed, place) -%}
    ({{ shifted_right(packed, 4 * (12 - place)) }} & 15)
{%- endmacro %}


{#
    IBAN of Kazakhstan: KZ, 2 digits, 3 digits, 13 of 0-9A-Z; read from the fifth
    character on, then the first four, letters as 10..35, it leaves 1 modulo 97. The
    remainder is carried from character to character; most have digits alone, and are one
    number.
#}
{% macro iban_is_valid(iban) -%}
    {%- set ns = namespace(rest="cast(substring(" ~ iban ~ ", 5, 3) as integer)") -%}
    {%- for place in range(8, 21) -%}
        {%- set character = "substring(" ~ iban ~ ", " ~ place ~ ", 1)" -%}
        {%- set ns.rest = "(" ~ ns.rest ~ " * case when " ~ character
            ~ " < 'A' then 10 else 100 end + ascii(" ~ character ~ ") - case when "
            ~ character ~ " < 'A' then 48 else 55 end) % 97" -%}
    {%- endfor -%}
    {#- K is 20, Z is 35, then the check digits. -#}
    case
        when {{ matches(iban, '^KZ[0-9]{18}$') }}
            then (
                cast(substring({{ iban }}, 5, 16) as bigint) % 97 * 1000000 + 203500
                + cast(substring({{ iban }}, 3, 2) as integer)
            ) % 97 = 1
        when {{ matches(iban, '^KZ[0-9]{5}[0-9A-Z]{13}$') }}
            then (
                (({{ ns.rest }}) * 10000 + 2035) % 97 * 100
                + cast(substring({{ iban }}, 3, 2) as integer)
            ) % 97 = 1
        else false
    end
{%- endmacro %}
