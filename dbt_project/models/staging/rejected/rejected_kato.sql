{{ config(materialized='table') }}

{{ rejected_rows('kato') }}
