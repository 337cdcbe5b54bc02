"""How an OAuth 1.0a call is refused: the words of OAuth's extension *Problem Reporting*."""

from __future__ import annotations

from migrator.sandbox.http.messages import Answer, Refusal

_BAD_REQUESTS = {"parameter_absent", "parameter_rejected", "version_rejected", "signature_method_rejected"}


class Problem(Refusal):
    """A refusal in these words, form-encoded; a provider that has words of its own says it in those."""

    def __init__(self, answer: Answer, word: str, advice: str) -> None:
        super().__init__(answer)
        self.word = word
        self.advice = advice


def problem(word: str, advice: str) -> Problem:
    """One of the problem words, with a sentence for people: 400 for a bad request, else 401."""
    fields = {"oauth_problem": word, "oauth_problem_advice": advice}
    if word in _BAD_REQUESTS:
        return Problem(Answer.of_form(400, fields), word, advice)
    answer = Answer.of_form(401, fields)
    refused = answer.with_headers({"WWW-Authenticate": 'OAuth realm="sandbox"'})
    return Problem(refused, word, advice)
