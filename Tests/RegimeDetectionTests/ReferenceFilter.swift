import Foundation

/// The forward recursion as the textbook has it, with the C library's exponential and logarithm: slow and right.
struct ReferenceFilter {
  let start: [Double]
  let transition: [[Double]]
  let means: [Double]
  let variances: [Double]
  private(set) var probabilities: [Double]
  private(set) var logLikelihood = 0.0
  private var isFirst = true

  init(start: [Double], transition: [[Double]], means: [Double], variances: [Double]) {
    self.start = start
    self.transition = transition
    self.means = means
    self.variances = variances
    probabilities = start
  }

  /// The prediction is `start` for the first observation, then the last probabilities times the transition matrix.
  mutating func step(_ x: Double) {
    let states = start.indices
    let predicted =
      isFirst ? start : states.map { j in states.map { probabilities[$0] * transition[$0][j] }.reduce(0, +) }
    isFirst = false
    // In logarithms throughout, so that nothing can underflow before the last step.
    let joint = states.map { j in
      log(predicted[j]) - 0.5 * log(2 * .pi * variances[j]) - (x - means[j]) * (x - means[j]) / (2 * variances[j])
    }
    let top = joint.max()!
    let total = top + log(joint.map { exp($0 - top) }.reduce(0, +))
    probabilities = joint.map { exp($0 - total) }
    logLikelihood += total
  }
}
