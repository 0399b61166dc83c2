"""Cases and applications, told once more from their rows."""

from datetime import timedelta

from told import ASP, Told, addressee, day, due, plus_months


class Cases(Told):
    """Cases and applications, told once more from their rows."""

    def case_deadlines(self) -> dict:
        """p5, p6, p20 to p22."""
        case = (self.rows("applications") or self.rows("jobseekers"))[0]
        begun = day(case.get("submitted_on") or case.get("registered_on"))
        assert self.governed_from <= begun <= self.end
        matched = None
        if self.values["step"] == "draft":
            match_due = due(day(case["registered_on"]), 1, self.policy)
            offered = self.happened(case["work_offered_on"])
            matched = offered is not None and offered <= match_due
        if matched:
            return {"outcome": "not_applicable", "due_on": None}
        start, done, days = {
            "forward": ("submitted_on", "forwarded_on", 2),
            "check": ("forwarded_on", "checked_on", 2),
            "match": ("registered_on", "work_offered_on", 1),
            "draft": (None, "draft_decision_on", 1),
            "sign": ("draft_decision_on", "unemployed_decided_on", 1),
        }[self.values["step"]]
        starts = self.happened(case[start]) if start else match_due
        ends = self.happened(case[done])
        due_on = due(starts, days, self.policy)
        if ends:
            outcome = "met" if ends <= due_on else "late"
        else:
            # The centre owes help, not a job.
            late = "no_match" if self.values["step"] == "match" else "overdue"
            outcome = "open" if due_on >= self.today else late
        return {
            "outcome": outcome,
            "reason": outcome if outcome in ("late", "overdue", "no_match") else None,
            "started_on": str(starts),
            "done_on": str(ends) if ends else None,
            "due_on": str(due_on),
        }

    def jobseeker_findings(self) -> dict:
        """p19, p21: whether the case has what was found in it."""
        (case,) = self.rows("jobseekers")
        begun = day(case["registered_on"])
        assert self.governed_from <= begun <= self.end
        assert self.happened(case["unemployed_decided_on"])
        offered = self.happened(case["work_offered_on"])
        finding = self.values["finding"]
        return {
            "reason": {
                "decision_without_centre": case["centre_id"] is None,
                "signed_without_draft": not self.happened(case["draft_decision_on"]),
                "signed_despite_offer": offered
                and offered <= due(begun, 1, self.policy),
            }[finding]
            and finding
        }

    def application_findings(self) -> dict:
        """p1 to p14: whether the row has what was found in it."""
        (row,) = self.rows("applications")
        assert self.governed_from <= day(row["submitted_on"]) <= self.end
        code = int(row["service_code"] or 0)
        notified = self.happened(row["notified_on"])
        decided = self.happened(row["decided_on"])
        formed = self.happened(row["case_formed_on"])
        checked = self.happened(row["checked_on"])
        channel = row["notification_channel"]
        finding = self.values["finding"]
        missing = finding.removeprefix("incomplete:")
        holds = {
            "service_not_covered": not 1 <= code <= 25,
            "incomplete:phone": row["phone"] is None and row["email"] is None,
            "no_attachment": int(row["attachment_count"] or 0) == 0,
            "not_signed": row["signed"] != "true",
            "wrong_addressee": row["addressee"] not in (None, addressee(code)),
            "wrong_office": self.is_elsewhere(row),
            "case_before_check": formed and (not checked or formed < checked),
            "duplicate_notification": notified
            and channel in ("sms", "cabinet")
            and row["reply_in_document_system"] == "true",
            "no_channel": notified and channel is None,
            "not_notified": decided and decided < self.today and not notified,
            "extended_automatically": code == ASP and self.is_covered(row),
            "survey_not_remote": code == ASP
            and decided
            and row["survey_mode"] != "remote",
            "result_not_electronic": code == ASP and notified and channel is None,
        }
        is_so = holds.get(finding, missing != finding and row.get(missing) is None)
        return {"finding": finding, "reason": is_so and finding}

    def is_elsewhere(self, application: dict) -> bool:
        """Whether the office is of another district than the applicant's place."""
        known = {unit["kato"] for unit in self.rows("kato")}
        person = self.person(application["iin"])
        office = application["forwarded_to_kato"]
        return (
            self.happened(application["forwarded_on"]) is not None
            and person is not None
            and {office, person["kato"]} <= known
            and office[:4] != person["kato"][:4]
        )

    def is_covered(self, application: dict) -> bool:
        """Whether a cited award of the person covers the day of submission."""
        award = self.one("asp_awards")
        if award is None:
            return False
        members = self.rows("asp_members", award_id=award["award_id"])
        assert application["iin"] in (
            award["applicant_iin"],
            *(member["iin"] for member in members),
        )
        submitted, ends = day(application["submitted_on"]), day(award["period_end"])
        extended = self.start <= ends <= self.end and self.p12(award) is None
        until = plus_months(ends + timedelta(1), 3) - timedelta(1) if extended else ends
        is_on = award["status"] == "active" or extended
        return is_on and day(award["period_start"]) <= submitted <= until
