{{ config(materialized='table') }}

{{ rejected_rows('asp_members') }}
