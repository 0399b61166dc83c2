{{ config(materialized='table') }}

{{ rejected_rows('persons') }}
