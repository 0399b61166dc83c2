{{ config(materialized='view') }}

{%- set paragraphs = [
    'p1_service', 'p2_completeness', 'p3_addressee', 'p5_office', 'p8_case_formed',
    'p10_notification', 'p12_needless_application', 'p13_remote_survey',
    'p14_electronic_result',
] %}

-- What p1 to p14 find in the applications, with the row of each.
{%- for paragraph in paragraphs %}
select
    application_id,
    finding,
    paragraph,
    application_row
from {{ ref(paragraph) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
