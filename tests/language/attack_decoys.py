"""The attack on decoys: what a recipient who holds the whole copy, decoys among the records, can compute for each row.

The attacker sees all columns, ids included, and all other rows. It counts who shares what, looks at intervals within a
household, checks renderings against one another, and hands hashed character n-grams and numbers to two classifiers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import datetime

import numpy as np

STREET = re.compile(r"^(.*?(?:路|街|大道))")


def _date(text):
    """The day, or None, of the three layouts of the demo register."""
    if text is None:
        return None
    found = re.fullmatch(r"民國(\d+)年(\d+)月(\d+)日", text)
    parts = found.groups() if found else re.split(r"[-/]", text[:10])
    year = int(parts[0]) + (1911 if found else 0)
    return datetime(year, int(parts[1]), int(parts[2]))


def _digits(text):
    return re.sub(r"\D", "", text or "")


class View:
    """The copy as the attacker sees it: rows of records and decoys, and what can be counted over all of them."""

    def __init__(self, table):
        self.table = table
        self.rows = [dict(zip(table.columns, row, strict=True)) for row in table.iter_rows()]
        self.house = defaultdict(list)
        for number, row in enumerate(self.rows):
            self.house[row["household_id"]].append(number)
        self.births = [_date(row["birth_date"]) for row in self.rows]
        self.stamps = [datetime.fromisoformat(row["registered_at"]) for row in self.rows]
        self.counts = {name: Counter(keys) for name, keys in self._shared().items()}
        self.keys = self._shared()
        self.ranks = {name: self._rank(name) for name in ("person_id", "household_id", "points", "mobile", "phone")}
        self.female = self._female_share()
        self.roman = self._romanisation()
        self.area = self._area_codes()
        self.kin = self._nearest_families()

    def _shared(self):
        """Values by which rows can be counted, one list a way to share."""
        rows = self.rows
        return {
            **{name: [row[name] for row in rows] for name in self.table.columns},
            "street": [row["postcode"] + (STREET.match(row["address_zh"] or "") or [""])[0] for row in rows],
            "street_en": [",".join(re.findall(r"[A-Z][a-z]+ (?:Road|Street|Avenue|Boulevard)|\w+ \w+, [\w ]+$",
                          row["address_en"] or "")) for row in rows],
            "building": [re.sub(r"\d+樓.*", "", row["address_zh"] or "") for row in rows],
            "given": [(row["name_zh"] or "")[1:] for row in rows],
            "given_en": [(row["name_en"] or "").split(" ")[-1] for row in rows],
            "surname": [(row["name_zh"] or "")[:1] for row in rows],
            "exchange": [_digits(row["phone"])[:-4] for row in rows],
            "exchange_area": [row["postcode"] + _digits(row["phone"])[:-4] for row in rows],
            "mobile5": [_digits(row["mobile"])[:5] for row in rows],
            "mail_word": [re.sub(r"[\d@].*", "", row["email"] or "") for row in rows],
            "stamp_day": [row["registered_at"][:10] for row in rows],
            "name_born": [(row["name_zh"] or row["name_en"], row["birth_date"]) for row in rows],
            "work_place": [(row["occupation"], row["birthplace"], row["postcode"]) for row in rows],
            "twin": [(row["sex"], str(row["birth_date"])[:7], row["birthplace"]) for row in rows],
            "peer": [(row["sex"], str(row["birth_date"])[:4], row["occupation"], row["postcode"]) for row in rows],
            "road": [(STREET.match((row["address_zh"] or "?")[6:]) or [""])[0] for row in rows],
            "numbers": [(row["postcode"], tuple(re.findall(r"\d+", row["address_zh"] or row["address_en"] or "")))
                        for row in rows],
        }  # fmt: skip

    def _rank(self, name):
        cells = [_digits(row[name]) for row in self.rows]
        order = {value: at for at, value in enumerate(sorted(set(cells), key=lambda text: (len(text), text)))}
        return [order[cell] / len(order) for cell in cells]

    def _female_share(self):
        seen = defaultdict(Counter)
        for row in self.rows:
            for char in (row["name_zh"] or "")[1:]:
                seen[char][row["sex"]] += 1
        return {char: count["F"] / count.total() for char, count in seen.items()}

    def _romanisation(self):
        seen = defaultdict(Counter)
        for row in self.rows:
            parts = re.split(r"[ -]", row["name_en"] or "")
            if row["name_zh"] and len(parts) == len(row["name_zh"]):
                for char, part in zip(row["name_zh"], parts, strict=True):
                    seen[char][part] += 1
        return {char: count.most_common(1)[0][0] for char, count in seen.items()}

    def _area_codes(self):
        seen = defaultdict(Counter)
        for row in self.rows:
            if row["phone"]:
                seen[row["postcode"]][_digits(row["phone"])[:3]] += 1
        return {code: count.most_common(1)[0][0] for code, count in seen.items()}

    def _nearest_families(self):
        """How near the next family is, for households of two or more: by ages, and by the intervals between them.

        Among households of one size in the whole register, and in the same postcode (-1 where there is no other).
        """
        from scipy.spatial import cKDTree

        groups, nearest = defaultdict(list), defaultdict(list)
        for house, rows in self.house.items():
            days = [self.births[row].toordinal() if self.births[row] else 0 for row in rows]
            if len(rows) > 1 and all(days):
                groups["", len(rows)].append((house, days))
                groups[self.rows[rows[0]]["postcode"], len(rows)].append((house, days))
        for label in sorted(groups):
            houses, days = zip(*groups[label], strict=True)
            points = np.array(days, float)
            for data in (points, np.diff(points, axis=1)):
                found = cKDTree(data).query(data, k=2, p=np.inf)[0][:, 1] if len(data) > 1 else [-1]
                for house, distance in zip(houses, found, strict=True):
                    nearest[house].append(distance)
        return nearest

    def numbers(self, at):
        """Numeric features of one row."""
        row, born, stamp = self.rows[at], self.births[at], self.stamps[at]
        mates = self.house[row["household_id"]]
        out = [self.counts[name][self.keys[name][at]] for name in self.counts]
        shared = (
            "street", "given", "exchange", "phone", "address_zh", "address_en", "stamp_day", "surname", "building",
        )  # fmt: skip
        for name in shared:
            value = self.keys[name][at]
            out.append(-1 if not value else self.counts[name][value] - sum(self.keys[name][m] == value for m in mates))
        out += [len(row[name] or "") for name in self.table.columns]
        out += [row[name] is None for name in self.table.columns]
        out += [self.ranks[name][at] for name in self.ranks]
        out += [int(digit) for digit in row["person_id"][2:] + row["household_id"][1:]]
        out += [int(digit) for digit in _digits(row["phone"]).rjust(10, "0")[-10:]]
        out += [int(digit) for digit in _digits(row["mobile"]).rjust(10, "0")[-10:]]
        out += self._times(row, born, stamp) + self._household(at, mates, born) + self._renderings(row)
        return out

    def _times(self, row, born, stamp):
        age = (stamp - born).days if born else -9999
        today = born.toordinal() if born else -1
        return [
            today, born.year if born else -1, born.month if born else -1, born.day if born else -1,
            born.weekday() if born else -1, stamp.toordinal(), stamp.year, stamp.month, stamp.day, stamp.weekday(),
            stamp.hour, stamp.minute, stamp.second, stamp.hour * 60 + stamp.minute, age, age % 365,
            float(row["points"] or -1), len(row["points"] or "") - len((row["points"] or "").rstrip("0")),
            int(row["person_id"][2:]) % 97 == 1, "/" in (row["birth_date"] or ""), "民" in (row["birth_date"] or ""),
        ]  # fmt: skip

    def _household(self, at, mates, born):
        row = self.rows[at]
        gaps = sorted(abs((born - self.births[m]).days) for m in mates if m != at and born and self.births[m])
        same = lambda name: sum(self.rows[m][name] == row[name] for m in mates)  # noqa: E731
        chars = Counter(char for m in mates for char in (self.rows[m]["name_zh"] or "")[1:])
        return [
            len(mates), mates.index(at), gaps[0] if gaps else -1, gaps[-1] if gaps else -1,
            *(same(name) for name in ("address_zh", "address_en", "phone", "postcode", "registered_at", "birthplace",
                                      "sex", "occupation")),
            sum((self.rows[m]["name_zh"] or "?")[0] == (row["name_zh"] or "!")[0] for m in mates),
            sum((self.rows[m]["name_en"] or "?").split()[-1] == (row["name_en"] or "!").split()[-1] for m in mates),
            max((chars[char] for char in (row["name_zh"] or "")[1:]), default=0),
            *self.kin.get(row["household_id"], (-2, -2, -2, -2)),
        ]  # fmt: skip

    def _renderings(self, row):
        zh, en = row["address_zh"] or "", row["address_en"] or ""
        parts = re.split(r"[ -]", row["name_en"] or "")
        local = (row["email"] or "").split("@")[0]
        words = [word.replace("-", "").lower() for word in (row["name_en"] or "").split()]
        fit = [self.roman.get(char) == part for char, part in zip(row["name_zh"] or "", parts, strict=False)]
        years = re.findall(r"(?:19|20)\d\d", local)
        born = _date(row["birth_date"])
        sexes = [self.female[char] for char in (row["name_zh"] or "")[1:] if char in self.female]
        return [
            sorted(re.findall(r"\d+", zh)) == sorted(re.findall(r"\d+", en)) if zh and en else -1,
            sum(fit) - len(fit), (row["birthplace"] or "?") in zh, sum(word in local for word in words if word),
            int(years[0]) == born.year if years and born else -1,
            _digits(row["phone"])[:3] == self.area.get(row["postcode"]),
            np.mean(sexes) - (row["sex"] == "F") if sexes else -2,
            len(re.findall(r"\d+", zh)), len(re.findall(r"\d+", en)),
            *(int(number) for number in (re.findall(r"\d+", zh or en) + ["-1"] * 4)[:4]), len(re.findall(r"\d", local)),
        ]  # fmt: skip


def features(table, chosen):
    """Numeric features, shape (n, f), and hashed n-grams of all columns, sparse (n, 2**14), of the chosen rows."""
    from sklearn.feature_extraction.text import HashingVectorizer

    view = View(table)
    numeric = np.array([view.numbers(at) for at in chosen], float)

    def grams(at):
        out = []
        for column, cell in view.rows[at].items():
            text = f"^{cell}$"
            out += [f"{column}:{text[i : i + n]}" for n in (1, 2, 3) for i in range(len(text) - n + 1)]
        return out

    texts = HashingVectorizer(analyzer=grams, n_features=2**14).transform(chosen)
    return numeric, texts, [view.rows[at]["household_id"] for at in chosen]


def auc(table, chosen, labels, *, repeats=2, resamples=400):
    """AUC of the stronger of two attacks and of their mean, with 95 % intervals: {name: (auc, low, high)}.

    Cross-validated in five folds that never part a household (its members' labels are one); the bootstrap resamples
    households as well.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.preprocessing import StandardScaler

    numeric, texts, houses = features(table, chosen)
    labels = np.asarray(labels)
    groups = np.unique(houses, return_inverse=True)[1]
    dense = np.hstack([numeric, TruncatedSVD(24, random_state=0).fit_transform(texts)])
    scores = {"boosting": np.zeros(len(labels)), "regression": np.zeros(len(labels))}
    for repeat in range(repeats):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=repeat)
        for train, test in folds.split(dense, labels, groups):
            boosting = HistGradientBoostingClassifier(max_iter=80, learning_rate=0.08, max_leaf_nodes=15)
            fitted = boosting.fit(dense[train], labels[train])
            scores["boosting"][test] += fitted.predict_proba(dense[test])[:, 1]
            scaler = StandardScaler().fit(numeric[train])
            regression = LogisticRegression(C=0.3, max_iter=300)
            joined = [_joined(scaler.transform(numeric[part]), texts[part]) for part in (train, test)]
            regression.fit(joined[0], labels[train])
            scores["regression"][test] += regression.predict_proba(joined[1])[:, 1]
    scores["both"] = scores["boosting"] + scores["regression"]
    random = np.random.default_rng(0)
    members = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    draws = [np.concatenate([members[g] for g in random.integers(0, len(members), len(members))])
             for _ in range(resamples)]  # fmt: skip
    out = {}
    for name, score in scores.items():
        boot = [roc_auc_score(labels[rows], score[rows]) for rows in draws]
        out[name] = (roc_auc_score(labels, score), *np.quantile(boot, (0.025, 0.975)))
    return out


def _joined(numeric, texts):
    from scipy.sparse import csr_matrix, hstack

    return hstack([csr_matrix(numeric / 10), texts]).tocsr()
