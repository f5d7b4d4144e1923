"""The meta-learner, the averaging weights, the calibration, and how good it all is."""

import numpy as np
import xgboost

SEED = 20_240_608
# How much of the joined logit is the meta-learner's, how much the weighted average's.
SHARES = {"meta": 0.6, "average": 0.4}


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def log_loss(logit, label):
    return float(np.mean(np.logaddexp(0, logit) - label * logit))


def meta_learner(logits, label, names):
    """XGBoost of 50 trees of depth 3 over the members' out-of-fold logits; a member that is not ready is missing."""
    matrix = xgboost.DMatrix(logits, label, missing=np.nan, feature_names=list(names), nthread=1)
    parameters = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 3, "max_bin": 254, "eta": 0.1, "min_child_weight": 20,
                  "lambda": 1.0, "nthread": 1, "seed": SEED}
    return xgboost.train(parameters, matrix, num_boost_round=50)


def meta_logit(model, logits, names):
    matrix = xgboost.DMatrix(logits, missing=np.nan, feature_names=list(names), nthread=1)
    return model.predict(matrix, output_margin=True).astype(np.float64)


def average_weights(logits, label):
    """Averaging weights by held-out likelihood, on rows where every member is ready.

    The likelihood is tempered to a hundred rows: rows of one minute tell much the same, and the full count would leave
    one member alone.
    """
    ready = np.isfinite(logits).all(axis=1)
    losses = np.array([log_loss(logits[ready, member], label[ready]) for member in range(logits.shape[1])])
    weights = np.exp(-100 * (losses - losses.min()))
    return weights / weights.sum()


def average(logits, weights):
    """The weighted mean of the members that are ready, their weights divided by what is there."""
    ready = np.isfinite(logits)
    return (np.where(ready, logits, 0) @ weights) / (ready @ weights)


def joined(meta, mean):
    return SHARES["meta"] * meta + SHARES["average"] * mean


def platt(logit, label):
    """Slope and intercept of a logistic regression on one logit, by Newton's method."""
    design = np.column_stack([logit, np.ones(len(label))])
    coefficients = np.array([1.0, 0.0])
    for _ in range(100):
        probability = sigmoid(design @ coefficients)
        gradient = design.T @ (probability - label)
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-9 * np.eye(2)
        move = np.linalg.solve(curvature, gradient)
        coefficients = coefficients - move
        if np.abs(move).max() < 1e-10:
            break
    return float(coefficients[0]), float(coefficients[1])


def area(score, label):
    """Area under the receiver's curve by ranks; ties count by their order, of which there are few."""
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    ups = label.sum()
    return float((ranks[label == 1].sum() - ups * (ups + 1) / 2) / (ups * (len(label) - ups)))


def quality(name, logit, label):
    found = {"accuracy": float(np.mean((logit > 0) == label)), "auc": area(logit, label), "log_loss": log_loss(logit, label), "rows": len(label)}
    print(f"{name:9} accuracy {found['accuracy']:.4f}, AUC {found['auc']:.4f}, log loss {found['log_loss']:.5f}, rows {found['rows']}")
    return found
