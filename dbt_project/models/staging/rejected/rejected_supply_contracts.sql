{{ config(materialized='table') }}

{{ rejected_rows('supply_contracts') }}
