{{ accepted_rows('jobseekers') }}
