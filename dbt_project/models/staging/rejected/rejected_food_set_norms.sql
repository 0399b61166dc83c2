{{ config(materialized='table') }}

{{ rejected_rows('food_set_norms') }}
