{{ config(materialized='table') }}

{{ rejected_rows('disability_terms') }}
