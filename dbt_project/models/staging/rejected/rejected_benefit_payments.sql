{{ config(materialized='table') }}

{{ rejected_rows('benefit_payments') }}
