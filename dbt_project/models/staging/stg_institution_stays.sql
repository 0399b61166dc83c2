{{ accepted_rows('institution_stays') }}
