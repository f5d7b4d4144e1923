/// Minimises a smooth function of a few parameters in a box, under one more linear limit.
///
/// Each step minimises a quadratic model over the box and the limit by an active set, then shortens the way until the function falls
/// enough. The model's matrix starts from an information matrix and is updated by BFGS; once the model promises nothing more it is
/// asked again with a fresh information matrix, so that a stale matrix does not end the search.
/// - Source: Nocedal & Wright 2006, sections 16.5 (active set) and 18.3 (damped update); in place of the limited-memory form of Byrd,
///   Lu, Nocedal & Zhu 1995, because a matrix over at most six parameters is small.
struct BoxMinimizer {
  /// The box; a parameter whose bounds are equal is fixed.
  let low: VolatilityVector
  let high: VolatilityVector
  /// Weights w of the limit `w · x ≤ limitMax`; all 0 is no limit.
  let limitWeights: VolatilityVector
  let limitMax: Double
  /// The search ends when the model promises less than this.
  let gainMin: Double
  /// A model that still promises more than this, and keeps none of it, is a failure.
  let promiseMax: Double
  /// Passes at most.
  let passMax: Int

  /// Where a search ended.
  struct Answer {
    var point: VolatilityVector
    var value: Double
    var iterations = 0
    /// Evaluations of the function, information matrices included.
    var passes = 0
    var isConverged = false
  }

  /// Steps after which a gain below `promiseMax` in all of them ends the search.
  private static let milestoneSteps = 25

  /// Searches from `start`, which is moved into the box first.
  ///
  /// - Parameters:
  ///   - function: the value and, through its second argument, the gradient; +∞ or NaN where it is not defined.
  ///   - information: a matrix like the second derivatives, positive semidefinite.
  func minimize(
    from start: VolatilityVector, _ function: (VolatilityVector, inout VolatilityVector) -> Double,
    information: (VolatilityVector) -> VolatilityMatrix
  ) -> Answer {
    var answer = Answer(point: start.clamped(lowerBound: low, upperBound: high), value: .infinity)
    var gradient = VolatilityVector()
    answer.value = function(answer.point, &gradient)
    answer.passes = 1
    guard answer.value.isFinite else { return answer }
    var matrix = information(answer.point)
    answer.passes += 1
    // Nothing worth a word was gained since the matrix was made.
    var isFresh = true
    var idleCount = 0
    var milestone = answer.value
    while answer.passes < passMax {
      let direction = modelStep(at: answer.point, gradient, matrix)
      // Half of what the function falls by at first is what the quadratic model promises in all.
      let slope = direction.map { ($0 * gradient).sum() } ?? -.infinity
      if let direction, -0.5 * slope >= gainMin {
        answer.iterations += 1
        let before = (point: answer.point, value: answer.value, gradient: gradient)
        if descend(direction, slope, &answer, &gradient, function) {
          update(&matrix, step: answer.point - before.point, change: gradient - before.gradient)
          let isIdle = before.value - answer.value < gainMin
          idleCount = isIdle ? idleCount + 1 : 0
          isFresh = isFresh && isIdle
          // Along a valley without end, as where nothing tells ω from β, steps gain a little for ever.
          if answer.iterations % Self.milestoneSteps == 0 {
            answer.isConverged = milestone - answer.value < promiseMax
            if answer.isConverged { return answer }
            milestone = answer.value
          }
          if idleCount < 3 { continue }
        }
      }
      if isFresh {
        // Where a function has kinks a model promises what it cannot keep; a promise this small is not worth a longer search.
        answer.isConverged = -0.5 * slope < promiseMax
        return answer
      }
      matrix = information(answer.point)
      answer.passes += 1
      isFresh = true
      idleCount = 0
    }
    return answer
  }

  /// Goes along `direction` as far as the function falls by enough; false when it does not.
  private func descend(
    _ direction: VolatilityVector, _ slope: Double, _ answer: inout Answer, _ gradient: inout VolatilityVector,
    _ function: (VolatilityVector, inout VolatilityVector) -> Double
  ) -> Bool {
    var share = 1.0
    var trialGradient = VolatilityVector()
    for _ in 0..<25 {
      let point = (answer.point + direction * share).clamped(lowerBound: low, upperBound: high)
      let value = function(point, &trialGradient)
      answer.passes += 1
      if value <= answer.value + 1e-4 * share * slope {
        answer.point = point
        answer.value = value
        gradient = trialGradient
        return true
      }
      // The minimum of the parabola through value, slope and trial value; where that is no number, a fifth.
      let parabola = -0.5 * slope * share * share / (value - answer.value - slope * share)
      share = parabola.isFinite ? min(max(parabola, 0.1 * share), 0.5 * share) : 0.2 * share
    }
    return false
  }

  /// The step that minimises the quadratic model within the box and under the limit; `nil` where the matrix is singular.
  private func modelStep(
    at point: VolatilityVector, _ gradient: VolatilityVector, _ matrix: VolatilityMatrix
  ) -> VolatilityVector? {
    // At a bound that the function pushes against, and where there is no room at all.
    var isFixed = (low .>= high) .| ((point .<= low) .& (gradient .>= 0)) .| ((point .>= high) .& (gradient .<= 0))
    var fixed = VolatilityVector()
    let slack = limitMax - (limitWeights * point).sum()
    var isLimited = false
    // Each turn fixes a parameter or takes in the limit.
    for _ in 0...Place.count + 1 {
      guard let factor = matrix.factor(isFree: .!isFixed) ?? matrix.withRidge.factor(isFree: .!isFixed) else {
        return nil
      }
      var step = factor.solve(-(gradient + matrix.times(fixed))) + fixed
      let isOver = (limitWeights * step).sum() > slack + 1e-15
      isLimited = isLimited || isOver
      if isLimited {
        let back = factor.solve(limitWeights)
        let share = (limitWeights * back).sum()
        if share > 0 { step -= back * (((limitWeights * step).sum() - slack) / share) }
      }
      let aim = point + step
      let excess = pointwiseMax(low - aim, aim - high).replacing(with: 0, where: isFixed)
      // In parts of the step, so that large and small parameters are alike.
      let shares = (excess / pointwiseMax(step, -step)).replacing(with: 0, where: excess .<= 0)
      let worst = shares.max()
      guard worst > 1e-12, let place = shares.indices.first(where: { shares[$0] == worst }) else { return step }
      isFixed[place] = true
      fixed[place] = (aim[place] < low[place] ? low : high)[place] - point[place]
    }
    return nil
  }

  /// The damped BFGS update: the matrix stays positive definite whatever the function is.
  private func update(_ matrix: inout VolatilityMatrix, step: VolatilityVector, change: VolatilityVector) {
    let carried = matrix.times(step)
    let curvature = (step * carried).sum()
    guard curvature > 0 else { return }
    let measured = (step * change).sum()
    let theta = measured >= 0.2 * curvature ? 1 : 0.8 * curvature / (curvature - measured)
    let damped = change * theta + carried * (1 - theta)
    matrix.addProduct(damped, factor: 1 / (step * damped).sum())
    matrix.addProduct(carried, factor: -1 / curvature)
  }
}
