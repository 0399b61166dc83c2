{{ config(materialized='table') }}

{{ rejected_rows('benefit_awards') }}
