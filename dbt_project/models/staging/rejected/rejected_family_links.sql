{{ config(materialized='table') }}

{{ rejected_rows('family_links') }}
