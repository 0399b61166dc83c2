{#
    The grounds of p25, in the order of the law: the model that judges the records of each,
    and the columns of it that hold source rows. The first is the record that makes someone
    a candidate; a column's name without `_row` is the role of its rows.
#}
{% macro grounds() -%}
    {{ return({
        'p25_1_asp_child': ['member_row', 'award_row', 'renewal_row', 'stay_row'],
        'p25_2_disabled_child': ['term_row', 'newer_term_row', 'stay_row'],
        'p25_3_disability_group': ['term_row', 'newer_term_row', 'stay_row'],
        'p25_4_carer': [
            'carer_row', 'child_row', 'child_term_row', 'child_newer_term_row',
            'child_stay_row', 'stay_row',
        ],
        'p25_5_unemployed': ['case_row', 'stay_row'],
    }) }}
{%- endmacro %}
