{{ rejected_rows('jobseekers') }}
