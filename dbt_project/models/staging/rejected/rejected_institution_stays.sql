{{ config(materialized='table') }}

{{ rejected_rows('institution_stays') }}
