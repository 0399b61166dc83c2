{#
    IIN: 12 digits; the last is sum(weight x digit) mod 11 over the first eleven with
    weights 1..11, and with weights 3..11, 1, 2 where that gives 10; 10 again: invalid.
    (A check digit is never 10, so the first sum need not be asked twice.) The digits
    come out of two whole numbers: eleven substrings take twice as long.
#}
{% macro iin_is_valid(iin) -%}
    case
        when not {{ matches(iin, '^[0-9]{12}$') }} then false
        when {{ iin_sum(iin, range(1, 12)) }} = {{ iin_digit(iin, 12) }} then true
        when {{ iin_sum(iin, range(1, 12)) }} < 10 then false
        else
            {{ iin_sum(iin, [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) }}
            = {{ iin_digit(iin, 12) }}
    end
{%- endmacro %}

{% macro iin_sum(iin, weights) -%}
    (
        {%- for weight in weights -%}
            {{ weight }} * {{ iin_digit(iin, loop.index) }}
            {%- if not loop.last %} + {% endif -%}
        {%- endfor -%}
    ) % 11
{%- endmacro %}

{% macro iin_digit(iin, place) -%}
    {%- set half = "cast(substring(" ~ iin ~ (", 1, 6)" if place <= 6 else ", 7, 6)")
        ~ " as integer)" -%}
    ({{ quotient(half, 10 ** ((12 - place) % 6)) }} % 10)
{%- endmacro %}


{#
    IBAN of Kazakhstan: KZ, 2 digits, 3 digits, 13 of 0-9A-Z; read from the fifth
    character on, then the first four, letters as 10..35, it leaves 1 modulo 97.
#}
{% macro iban_is_valid(iban) -%}
    case
        when {{ matches(iban, '^KZ[0-9]{5}[0-9A-Z]{13}$') }}
            then cast(
                {{ letters_as_numbers(
                    "concat(substring(" ~ iban ~ ", 5), substring(" ~ iban ~ ", 1, 4))"
                ) }} as decimal(38, 0)
            ) % 97 = 1
        else false
    end
{%- endmacro %}

{% macro letters_as_numbers(text) -%}
    {%- set ns = namespace(text=text) -%}
    {%- for letter in 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' -%}
        {%- set number = loop.index + 9 -%}
        {%- set ns.text = "replace(" ~ ns.text ~ ", '" ~ letter ~ "', '" ~ number ~ "')" -%}
    {%- endfor -%}
    {{ ns.text }}
{%- endmacro %}
