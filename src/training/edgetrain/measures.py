"""Rates with their uncertainty, the threshold, and what they are compared with."""

import math

import numpy as np


def wilson(hits, total, z=1.959964):
    """95 % interval of a rate (Wilson, JASA 22, 1927): honest where a rate is near 0, unlike +/- two sigma."""
    if total == 0:
        return 0.0, 1.0
    p, n = hits / total, total
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate(hits, total):
    low, high = wilson(int(hits), int(total))
    return {"count": int(hits), "of": int(total), "rate": hits / total if total else None,
            "interval95": [round(low, 6), round(high, 6)]}


def verdict_rates(scores, defective, threshold):
    """Missed defects (false negatives) and good parts thrown away (false positives) at a threshold."""
    called = scores >= threshold
    return {"threshold": float(threshold),
            "missedDefects": rate((~called & defective).sum(), defective.sum()),
            "goodRejected": rate((called & ~defective).sum(), (~defective).sum()),
            "wrong": rate((called != defective).sum(), len(scores))}


def choose_threshold(scores, defective, miss_cost):
    """The threshold of least cost, a missed defect costing `miss_cost` good parts.

    Of all thresholds that cost the same, one in the widest gap on the logit scale: its middle, moved by half the
    logarithm of the cost towards the good side. That is where expected cost is least if both sides fade into the gap
    like logistic tails of unit scale. It stays clear of the gap's ends by a tenth.
    """
    logit = np.log(np.clip(scores, 1e-6, 1 - 1e-6) / (1 - np.clip(scores, 1e-6, 1 - 1e-6)))
    order = np.argsort(logit, kind="stable")
    values, bad = logit[order], defective[order]
    # Cut before index k: the first k pass, the rest are rejected.
    missed = np.concatenate([[0], np.cumsum(bad)])
    thrown = np.concatenate([np.cumsum((~bad)[::-1])[::-1], [0]])
    cost = missed * miss_cost + thrown
    edges = np.concatenate([[min(values[0], -4.0) - 1e-6], values, [max(values[-1], 4.0) + 1e-6]])
    gaps = edges[1:] - edges[:-1]
    cuts = np.flatnonzero(cost == cost.min())
    cut = cuts[np.argmax(gaps[cuts])]
    clear = gaps[cut] / 10
    place = np.clip((edges[cut] + edges[cut + 1]) / 2 - math.log(miss_cost) / 2,
                    edges[cut] + clear, edges[cut + 1] - clear)
    return float(np.clip(1 / (1 + np.exp(-place)), 0.02, 0.98))


def threshold_table(scores, defective, chosen):
    marks = sorted({0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, round(chosen, 4)})
    return [verdict_rates(scores, defective, mark) for mark in marks]


def picture_features(picture):
    """What a simple rule may look at: brightness, its spread, and the share of dark and of bright pixels."""
    grey = picture.mean(2)
    return [grey.mean(), grey.std(), (grey < 60).mean(), (grey < 90).mean(), (grey > 190).mean()]


FEATURES = ["mean brightness", "spread of brightness", "share of pixels below 60", "share of pixels below 90",
            "share of pixels above 190"]


def simple_rule(train_features, train_defective, features, defective):
    """The best single threshold on a single feature, found on the training part, measured on the test part."""
    best = None
    for column, name in enumerate(FEATURES):
        for sign in (1, -1):
            values = sign * train_features[:, column]
            order = np.argsort(values, kind="stable")
            missed = np.concatenate([[0], np.cumsum(train_defective[order])])
            thrown = np.concatenate([np.cumsum((~train_defective[order])[::-1])[::-1], [0]])
            # Both rates weigh the same: by cost alone, passing all or none would win, and that baseline is there.
            cost = missed / max(train_defective.sum(), 1) + thrown / max((~train_defective).sum(), 1)
            # A cut between equal values cannot be made: many pictures share a feature of exactly 0.
            cost[1:-1][np.diff(values[order]) == 0] = np.inf
            k = int(np.argmin(cost))
            low = values[order[k - 1]] if k else values[order[0]] - 1
            high = values[order[k]] if k < len(order) else values[order[-1]] + 1
            if best is None or cost[k] < best[0]:
                best = cost[k], column, sign, (low + high) / 2
    _, column, sign, threshold = best
    result = verdict_rates(sign * features[:, column], defective, threshold)
    side = "above" if sign > 0 else "below"
    result["rule"] = f"defect when the {FEATURES[column]} is {side} {sign * threshold:.4g}"
    result["threshold"] = float(sign * threshold)
    return result


def statement(rates, good_per_day, defects_per_day):
    """The trade-off in plain words, for whoever decides about the threshold."""
    missed, thrown = rates["missedDefects"]["rate"] or 0.0, rates["goodRejected"]["rate"] or 0.0
    through, lost = missed * defects_per_day, thrown * good_per_day
    most_missed, most_thrown = rates["missedDefects"]["interval95"][1], rates["goodRejected"]["interval95"][1]
    return (f"At this threshold {missed:.2%} of defects get through and {thrown:.2%} of good parts are thrown away. "
            f"Per day with {good_per_day} good and {defects_per_day} defective parts: about "
            f"{defects_per_day - through:.0f} caught, {through:.0f} missed, {lost:.0f} good ones lost. With 95 % "
            f"confidence at most {most_missed:.2%} and {most_thrown:.2%}, since {rates['missedDefects']['of']} defects "
            f"and {rates['goodRejected']['of']} good parts were judged.")
