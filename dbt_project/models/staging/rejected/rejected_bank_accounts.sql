{{ config(materialized='table') }}

{{ rejected_rows('bank_accounts') }}
