{{ config(materialized='table') }}

{{ rejected_rows('applications') }}
