{{ config(materialized='table') }}

{{ rejected_rows('jobseekers') }}
