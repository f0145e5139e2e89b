"""What the pages, the workbook, the question and the summary say of six runs, each of which a reader must not mistake."""

from __future__ import annotations

import html
import re
from typing import get_args

import openpyxl
import pytest

from migration_reports.pages.render import question, render
from migration_reports.pages.summary import headline, summary
from migration_reports.records import standing, verdicts
from migration_reports.records.run_record import Decision, Issue, RunRecord, State
from migration_reports.words import WORDS
from tests.migration_reports.invented_runs import AUTOMATIC, BEFORE, CUT_OVER, HELD, REHEARSAL, REJECTED, RUNS, WAITING

TAG = re.compile(r"<style>.*?</style>|<[^>]*>", re.DOTALL)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each run's report says, as plain text by language, its workbook's cells, question and summary."""
    texts: dict[tuple[str, str], str] = {}
    for name, record in RUNS.items():
        folder = tmp_path_factory.mktemp(name)
        render(record, folder, findings=None)
        for language in ("ja", "en"):
            texts[name, language] = _text((folder / f"result.{language}.html").read_text("utf-8"))
        texts[name, "gaiji"] = _text((folder / "gaiji.html").read_text("utf-8"))
        book = openpyxl.load_workbook(folder / "workbook.xlsx")
        texts[name, "xlsx"] = "\n".join(
            " | ".join(str(cell) for cell in row if cell is not None)
            for sheet in book
            for row in sheet.iter_rows(values_only=True)
        )
        ledger = openpyxl.load_workbook(folder / "gaiji.xlsx")
        texts[name, "header"] = "\n".join(str(sheet.oddHeader.center.text) for sheet in (*book, *ledger))
        texts[name, "question"] = question(record)
        texts[name, "summary"] = "\n".join((headline(record), *summary(record)))
    return texts


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(TAG.sub(" ", page)))


SAYS = [
    ("rehearsal", "ja", "リハーサル合格 English このリハーサルの行は検証環境に置かれている。本番環境のデータには何の変更もない。"),
    ("rehearsal", "ja", "反映先 検証環境 (リハーサル用)"),
    ("rehearsal", "ja", "実行者 移行 太郎"),
    ("rehearsal", "ja", "承認・不承認 承認 判定者 見本 花子 判定日時 2026-11-28 14:12:00 JST 判定の理由 不採用 10 件は移行元が是正中"),
    ("rehearsal", "ja", "アラート 7 確認済"),
    ("rehearsal", "ja", "アラートは、判定者が承認により確認済とした。"),
    ("rehearsal", "en", "Rehearsal passed 日本語 Its rows stand in the rehearsal area. Nothing in production has changed."),
    ("rehearsal", "en", "Decision approved By 見本 花子 At 2026-11-28 14:12:00 JST Why"),
    ("rehearsal", "gaiji", "リハーサル合格 / Rehearsal passed"),
    ("rehearsal", "xlsx", "反映先 / Area | 検証環境 (リハーサル用) / Rehearsal area"),
    ("rehearsal", "xlsx", "判定者 / By | 見本 花子"),
    ("rehearsal", "header", "リハーサル 3 · リハーサル合格 / Rehearsal passed"),
    ("rehearsal", "summary", "見本市 (990027)  rehearsal 3: Rehearsal passed"),
    ("rehearsal", "summary", "approved by 見本 花子 (2026-11-28 14:12:00 JST): 不採用 10 件は移行元が是正中"),
    ("automatic", "ja", "承認・不承認 自動承認 (未確認) 判定日時"),
    ("automatic", "ja", "アラート 7 未確認"),
    ("automatic", "ja", "アラートは未確認である。人が承認するまで未確認のままとする。"),
    ("automatic", "en", "automatic, nobody has looked At"),
    ("automatic", "en", "Alerts 7 open, not acknowledged"),
    ("automatic", "xlsx", "アラート / Alerts | 未確認 / open, not acknowledged"),
    ("automatic", "xlsx", "承認・不承認 / Decision | 自動承認 (未確認) / automatic, nobody has looked"),
    ("automatic", "summary", "7 alerts (open, not acknowledged)"),
    ("automatic", "summary", "approved automatically, nobody has looked"),
    ("cut_over", "ja", "本番反映済 English この実行の行は本番環境に置かれ、有効である。"),
    ("cut_over", "en", "In production 日本語 Its rows stand in production and are in force."),
    ("cut_over", "header", "本番移行 · 本番反映済 / In production"),
    ("cut_over", "summary", "cut-over: In production"),
    ("waiting", "ja", "暫定報告 判定前に作成した。判定後に確定した報告書に置き換わる。証跡として用いてはならない。"),
    ("waiting", "ja", "移行結果報告書 (暫定)"),
    ("waiting", "ja", "このリハーサルの判定は行われていない。承認されるまで検証環境には何も反映しない。"),
    ("waiting", "ja", "承認・不承認 未判定"),
    ("waiting", "ja", "仕様の変更 この実行は、開始時に作成した仕様の写しだけを用いた。"),
    ("waiting", "en", "Provisional report Decision pending."),
    ("waiting", "en", "Would be promoted"),
    ("waiting", "en", "differed from that copy when this report was written. resident_records.yaml codes/sex.csv"),
    ("waiting", "gaiji", "暫定報告 / Provisional report"),
    ("waiting", "xlsx", "暫定報告 / Provisional report | 判定前に作成した。"),
    ("waiting", "xlsx", "仕様の変更 / Specs changed since | resident_records.yaml"),
    ("waiting", "header", "暫定 (承認待ち) / Provisional (decision pending)"),
    ("waiting", "summary", "residents: 2,990 rows would be promoted"),
    ("rejected", "ja", "リハーサル不承認 English 判定者が合格を認めなかったため、検証環境に反映しなかった。"),
    ("rejected", "ja", "不承認 判定者 見本 花子 判定日時 2026-11-28 14:12:00 JST 判定の理由 課税額の不一致を先に是正する"),
    ("rejected", "en", "Decision refused By 見本 花子"),
    ("rejected", "en", "Would be promoted"),
    ("rejected", "summary", "refused by 見本 花子 (2026-11-28 14:12:00 JST): 課税額の不一致を先に是正する"),
    ("rejected", "summary", "residents: 2,990 rows would be promoted"),
    ("held", "ja", "リハーサル不合格 (保留)"),
    ("held", "ja", "理由 : 移行ファイルが届いていない: juki_master.dat (受領フォルダー inbox/990027_mihon)"),
    ("held", "ja", "コントロールの一致 対象なし 検証規則 (両エンジン一致) 対象なし 件数照合 対象なし 未着 1"),
    ("held", "en", "Controls proved nothing to judge Rules (both engines agree) nothing to judge"),
    ("held", "en", "Reconciliation of counts nothing to judge not received: 1"),
    ("held", "xlsx", "件数照合 / Reconciliation of counts | 対象なし / nothing to judge"),
    ("held", "xlsx", "検証規則 (両エンジン一致) / Rules (both engines agree) | 対象なし / nothing to judge"),
    ("held", "question", "規則 rules: 対象なし / nothing to judge"),
    ("held", "summary", "juki_master.dat (inbox/990027_mihon)"),
    ("held", "summary", "controls proved nothing to judge; rules with both engines agreeing nothing to judge"),
]  # fmt: skip


@pytest.mark.parametrize(("run", "where", "words"), SAYS, ids=[f"{r}-{w}-{n}" for n, (r, w, _) in enumerate(SAYS)])
def test_a_run_says(said, run, where, words):
    assert words in said[run, where]


NEVER = [
    *((run, "本番反映済") for run in RUNS if run != "cut_over"),
    *((run, "In production") for run in RUNS if run != "cut_over"),
    ("cut_over", "リハーサル合格"),
    ("automatic", "確認済"),
    ("automatic", " acknowledged by"),
    ("waiting", "リハーサル合格 "),
    ("waiting", "リハーサル合格 /"),
    ("held", "一致 "),
    ("held", "closes"),
    ("held", "3 / 3"),
    ("held", "3/3"),
]


@pytest.mark.parametrize(("run", "words"), NEVER)
def test_a_run_never_says(said, run, words):
    kept = {where: text for (name, where), text in said.items() if name == run and where != "question"}
    # The headings and the count of what agrees are no verdicts.
    heads = ("コントロールの一致", "両エンジン一致", "不一致")
    assert [where for where, text in kept.items() if words in re.sub("|".join(heads), "", text)] == []


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_provisional_report_cannot_be_taken_for_the_final_one(language, tmp_path):
    pages = {}
    for name, record in (
        ("waiting", WAITING),
        ("running", WAITING.model_copy(update={"state": "running"})),
        ("final", REHEARSAL),
    ):
        render(record, tmp_path / name, findings=None)
        pages[name] = (tmp_path / name / f"result.{language}.html").read_text("utf-8")
    for name in ("waiting", "running"):
        assert '<div class="provisional">' in pages[name]
        assert f'@top-center {{ content: "{WORDS[language]["provisional_page"]}"' in pages[name], "every printed page"
        assert '<div class="watermark"' in pages[name]
        assert 'class="stamps"' not in pages[name], "nobody signs it"
    assert 'class="stamps"' in pages["final"]
    assert not re.findall('<div class="(provisional|watermark)"|@top-center', pages["final"])  # fmt: skip


@pytest.mark.parametrize("mode", ["rehearsal", "cut-over"])
@pytest.mark.parametrize("state", get_args(State))
def test_every_state_has_words_and_a_sentence_for_each_kind_of_run(state, mode, tmp_path):
    record = REHEARSAL.model_copy(update={"state": state, "mode": mode})
    stands = standing.standing(record)
    render(record, tmp_path, findings=None)
    for language in ("ja", "en"):
        page = _text((tmp_path / f"result.{language}.html").read_text("utf-8"))
        assert getattr(stands, language) in page
        assert getattr(stands, f"lead_{language}") in page
    if mode == "rehearsal":
        assert "本番反映済" not in stands.ja
        assert "In production" not in stands.en
    assert stands.lead_ja.endswith("。")


def test_states_read_differently():
    for mode in ("rehearsal", "cut-over"):
        records = [REHEARSAL.model_copy(update={"state": state, "mode": mode}) for state in get_args(State)]
        assert len({standing.standing(r).ja for r in records}) == len(records)
        assert len({standing.standing(r).en for r in records}) == len(records)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("ja", ["前回の移行実行と項目ごとに件数を比べた。", "7 新規", "3 -38 (前回 41)", "5 +3 (前回 2)", "2 増減なし", "0 解消 (前回 1,208)"]),
        ("en", ["Compared place by place with the run before:", "7 new", "3 -38 (was 41)", "5 +3 (was 2)", "2 same", "0 gone (was 1,208)"]),
    ],
)  # fmt: skip
def test_the_report_says_what_changed_since_the_run_before(said, language, lines):
    for line in (*lines, BEFORE):
        assert line in said["rehearsal", language]
        assert line not in said["automatic", language], "there was no run before"
    assert "M310 | エラー / error" in said["rehearsal", "xlsx"]
    assert "解消 (前回 1,208) / gone (was 1,208)" in said["rehearsal", "xlsx"]


def test_japanese_pages_read_japanese(said):
    page = said["rehearsal", "ja"]
    for words in (
        "header.JH-DANTAI-CD の値",
        "resident の件数",
        "trailer が一つあること",
        "tax_amounts.amount, コントロール",
    ):
        assert words in page
    for words in ("count of", "value of", "one trailer", "automatic", ", control"):
        assert words not in page
    assert "自動承認" in said["automatic", "ja"]
    assert "automatic" not in said["automatic", "ja"]
    for kind in ("移行ファイル", "レイアウト", "マニフェスト", "コード変換表"):
        assert f"{kind} " in page[page.index("仕様のハッシュ値は") :]


def test_a_code_of_a_municipality_is_no_amount(said):
    for where in ("ja", "en", "xlsx", "question"):
        assert "990,027" not in said["rehearsal", where]
        assert "678,042,618" in said["rehearsal", where]


def test_pages_have_landmarks_and_boxes_that_a_keyboard_reaches(tmp_path):
    render(REHEARSAL, tmp_path, findings=None)
    for name in ("result.ja.html", "result.en.html", "gaiji.html"):
        page = (tmp_path / name).read_text("utf-8")
        assert page.count("<main>") == page.count("</main>") == 1
        assert page.index("</header>") < page.index("<main>") < page.index("</main>") < page.index("<footer>")
        boxes = re.findall(r'<div class="scroll"([^>]*)>', page)
        labels = [re.search(r'tabindex="0" role="region" aria-label="([^"]+)"', box)[1] for box in boxes]
        assert len(set(labels)) == len(labels) == page.count("<table>")
    assert re.search(r"h3 \{[^}]*break-after: avoid", (tmp_path / "result.ja.html").read_text("utf-8"))


def test_verdicts_of_empty_sets():
    assert verdicts.rules(REHEARSAL) == verdicts.Tally(agree=2, judged=2, empty=1)
    assert verdicts.rules(HELD).verdict is None
    assert verdicts.controls(HELD).verdict is None
    assert verdicts.counts(HELD).verdict is None
    assert verdicts.counts(REHEARSAL).verdict is True
    lines = REHEARSAL.reconciliations
    wrong = REHEARSAL.model_copy(
        update={
            "reconciliations": (*lines, lines[0].model_copy(update={"records": 0, "candidates": 0, "rows_staged": 0}))
        }
    )
    assert verdicts.counts(wrong).verdict is False, "rows of no records do not close, and are not empty"
    empty = lines[1].model_copy(
        update={"records": 0, "candidates": 0, "rows_staged": 0, "rows_rejected": 0, "rows_promoted": 0}
    )
    assert verdicts.of_line(empty) is None
    fates = REHEARSAL.fates[1].model_copy(update={"records": 0, "accepted": 0, "rejected": 0})
    nothing = REHEARSAL.model_copy(update={"fates": (fates,), "reconciliations": (empty,)})
    amount = REHEARSAL.amounts[0].model_copy(update={"in_dump": "0", "in_rejected": "0", "in_table": "0"})
    assert verdicts.of_fate(fates) is None
    assert verdicts.of_amount(nothing, amount) is None
    assert verdicts.of_amount(REHEARSAL, REHEARSAL.amounts[0]) is True
    stated = HELD.model_copy(update={"controls": REHEARSAL.controls})
    assert verdicts.of_control(stated, stated.controls[0]) is None, "its dump did not come"
    assert verdicts.controls(stated) == verdicts.Tally(agree=0, judged=0, empty=4)
    disagreeing = REHEARSAL.rules[2].model_copy(update={"failing_gx": 1})
    assert verdicts.of_rule(REHEARSAL, disagreeing) is False, "what was counted differently is never nothing"
    counted = REHEARSAL.rules[0].model_copy(update={"rows": None, "failing_polars": 0, "failing_gx": 0})
    assert verdicts.of_rule(REHEARSAL, counted) is True, "its table has staged rows"


@pytest.mark.parametrize("name", list(RUNS))
def test_every_sheet_is_headed_by_the_kind_of_run_and_its_state(said, name):
    assert set(said[name, "header"].split("\n")) == {standing.marked(RUNS[name])}


QUESTIONS = [
    (REHEARSAL, "### 見本市 (990027) リハーサル 3: リハーサル合格としてよいか / May this rehearsal pass?"),
    (REHEARSAL, "承認すると、このリハーサルの行を検証環境に置き、リハーサル合格とする。本番環境は変わらない。人が承認すると、アラートは確認済となる。"),
    (REHEARSAL, "The approval of a person acknowledges the alerts."),
    (REHEARSAL, f"前回比 since the run before ({BEFORE})"),
    (REHEARSAL, "| D201 | パック十進数でないバイト / Bytes that are no packed decimal | エラー error | 7 | 新規 / new |"),
    (REHEARSAL, "| エラー error | 3 | -38 (前回 41) / -38 (was 41) |"),
    (REHEARSAL, "| アラート alert | 5 | +3 (前回 2) / +3 (was 2) |"),
    (REHEARSAL, "| アラート alert | 2 | 増減なし / same |"),
    (REHEARSAL, "| エラー error | 0 | 解消 (前回 1,208) / gone (was 1,208) |"),
    (REHEARSAL, "header.JH-DANTAI-CD の値 / value of header.JH-DANTAI-CD | 990027 | 990027 | ✓ |"),
    (REHEARSAL, "規則 rules: 2, Polars = Great Expectations: 2, 対象なし nothing to judge in 1"),
    (CUT_OVER, "本番移行: 本番反映してよいか / May it go into production?"),
    (CUT_OVER, "承認すると、この実行の行が本番環境に入り、この団体の現在の行に代わる。"),
    (AUTOMATIC, "| エラー error | 7 | – |"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "words"), QUESTIONS)
def test_the_question_says(record, words):
    assert words in question(record)


def test_the_question_of_a_rehearsal_does_not_ask_about_production():
    assert "本番反映してよいか" not in question(REHEARSAL)
    assert "リハーサル合格" not in question(CUT_OVER)


def test_the_question_links_what_to_read():
    links = {
        "暫定報告 [ja]": "/hikkoshi/migrate_x/manual__2026-11-28T04:40:25+00:00/result.ja.html",
        "(2)": "http://h/a b(c)",
    }
    text = question(WAITING, links=links)
    assert "[暫定報告 \\[ja\\]](/hikkoshi/migrate_x/manual__2026-11-28T04:40:25+00:00/result.ja.html)" in text
    assert "[(2)](http://h/a%20b%28c%29)" in text
    assert "](" not in question(WAITING)


def test_the_question_takes_no_markup_from_names():
    evil = "a|b\n# c <img src=x> *d* `e` [f](g)"
    named = REHEARSAL.municipality.model_copy(update={"name": evil})
    control = REHEARSAL.controls[1].model_copy(update={"name": evil, "stated": evil})
    text = question(REHEARSAL.model_copy(update={"municipality": named, "controls": (control,)}))
    escaped = "a\\|b \\# c \\<img src=x\\> \\*d\\* \\`e\\` \\[f\\](g)"
    assert text.count(escaped) == 4
    assert evil.split("\n")[1] not in text


def test_the_question_lists_so_many_lines_and_counts_the_rest():
    codes = ["D201", "D202", "D211", "D214", "D221", "M301", "M302", "M303", "M304", "M305", "M310", "F101", "F102", "F103", "F104",
             "V404", "V413", "V414", "C501", "C502", "C503", "C504", "C505"]  # fmt: skip
    issues = tuple(Issue(code=code, severity="note", count=n + 1) for n, code in enumerate(codes))
    lines = REHEARSAL.reconciliations * 15
    text = question(REHEARSAL.model_copy(update={"issues": issues, "since": None, "reconciliations": lines}))
    assert "| … ほか 3 行 / and 3 more |  |  |  |  |" in text
    assert "| … ほか 5 行 / and 5 more |" in text
    assert "| C505 |" in text, "the most frequent are listed"
    assert "| D201 |" not in text


def test_a_summary_names_the_first_codes_of_rejects_and_no_cursor():
    errors = tuple(
        Issue(code=code, severity="error", count=n) for n, code in enumerate(("D201", "D211", "M301", "M310"), 1)
    )
    by = Decision(approved=False, by="x\x1b[2Jy", at=REHEARSAL.decision.at, reason="a\nb")
    lines = list(summary(REJECTED.model_copy(update={"issues": errors, "decision": by})))
    first = next(n for n, line in enumerate(lines) if line.startswith("  M310 × 4  A value that the code table"))
    assert lines[first + 1].startswith("  M301 × 3  ")
    assert lines[first + 2].startswith("  D211 × 2  ")
    assert lines[first + 3] == "  and 1 more codes; the report lists them"
    assert not [line for line in lines if "\x1b" in line or "\n" in line]
    clean = REHEARSAL.model_copy(update={"rejects": 0})
    assert not [line for line in summary(clean) if "×" in line]


@pytest.mark.parametrize("name", list(RUNS))
def test_an_invented_run_reads_back_equal(name):
    assert RunRecord.model_validate_json(RUNS[name].model_dump_json()) == RUNS[name]
