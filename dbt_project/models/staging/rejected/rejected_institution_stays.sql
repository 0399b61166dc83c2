{{ rejected_rows('institution_stays') }}
