internal import Foundation
internal import ModelInference

/// Sums over one value of a network, window after window.
struct TensorSums {
  var minimum = Float.infinity
  var maximum = -Float.infinity
  var errorMax = 0.0
  private var signal = 0.0
  private var noise = 0.0
  private var count = 0
  private var saturatedCount = 0

  mutating func add(_ wanted: [Float], _ given: [Float], _ saturated: Int) {
    for (wanted, given) in zip(wanted, given) {
      minimum = min(minimum, wanted)
      maximum = max(maximum, wanted)
      let error = Double(given) - Double(wanted)
      errorMax = max(errorMax, abs(error))
      signal += Double(wanted) * Double(wanted)
      noise += error * error
    }
    count += wanted.count
    saturatedCount += saturated
  }

  var saturatedShare: Double { count == 0 ? 0 : Double(saturatedCount) / Double(count) }
  var signalToNoise: Double { noise == 0 ? .infinity : 10 * log10(signal / noise) }
}

extension QuantisationReport.Logits {
  init(original: [[Float]], quantised: [[Float]], labels: [Bool]?) {
    let wanted = original.joined().map(Double.init)
    let given = quantised.joined().map(Double.init)
    let mean = wanted.reduce(0, +) / Double(wanted.count)
    let variance = wanted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(wanted.count)
    let errors = zip(wanted, given).map { $1 - $0 }
    let flips = zip(original, quantised).count { $0.side != $1.side }
    count = original.count
    deviation = variance.squareRoot()
    errorRMS = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
    errorMax = errors.reduce(0) { max($0, abs($1)) }
    flippedShare = Double(flips) / Double(count)
    if let labels, labels.contains(true), labels.contains(false) {
      areas = QuantisationReport.Areas(
        original: rocArea(original.map { $0[0] }, labels), quantised: rocArea(quantised.map { $0[0] }, labels))
    }
  }
}

extension [Float] {
  /// Which way an output decides: its sign, or which of several is the largest (the first of equals).
  fileprivate var side: Int {
    if count == 1 { return self[0] > 0 ? 1 : 0 }
    return indices.reduce(0) { self[$1] > self[$0] ? $1 : $0 }
  }
}

/// The area under the ROC curve: the share of pairs of a true and a false label that the scores order right, ties half.
///
/// - Precondition: there are labels of both kinds.
func rocArea(_ scores: [Float], _ labels: [Bool]) -> Double {
  let order = scores.indices.sorted { scores[$0] < scores[$1] }
  var rankSum = 0.0
  var place = 0
  while place < order.count {
    var end = place
    while end < order.count, scores[order[end]] == scores[order[place]] { end += 1 }
    // Equal scores share the mean of their ranks, which start at 1.
    let rank = Double(place + 1 + end) / 2
    rankSum += rank * Double(order[place..<end].count { labels[$0] })
    place = max(end, place + 1)
  }
  let positives = Double(labels.count { $0 })
  let negatives = Double(labels.count) - positives
  return (rankSum - positives * (positives + 1) / 2) / (positives * negatives)
}

extension QuantisedNetwork {
  /// Codes at an end that their numbers reach only by saturation.
  func saturatedCount(_ trace: QuantisedReference.Trace, _ value: Int) -> Int {
    guard !trace.codes[value].isEmpty else { return 0 }
    let zeroPoint = Float(value == 0 ? input.zeroPoint : encodings[value]?.zeroPoint ?? 0)
    return trace.codes[value].indices.count { place in
      let number = trace.values[value][place]
      let feature = value == 0 ? place % featureCount : 0
      let steps: Float
      if value == 0 {
        let offset = number - input.centers[feature]
        steps = input.divides ? offset / input.factors[feature] : offset * input.factors[feature]
      } else {
        guard let encoding = encodings[value] else { return false }
        steps = encoding.divides ? number / encoding.factor : number * encoding.factor
      }
      let isWide = value == 0 && input.isWide
      let code = steps.rounded(.toNearestOrEven) + (isWide ? 32_768 : zeroPoint)
      return code < 0 || code > (isWide ? 65_535 : 255)
    }
  }
}

extension NeuralNetwork.Operator {
  /// What reports call it.
  var name: String {
    switch self {
    case .dense: "dense"
    case .convolution: "convolution"
    case .recurrent(let layer): layer.cell == .lstm ? "LSTM" : "GRU"
    case .attention: "attention"
    case .layerNormalisation: "layer normalisation"
    case .affine: "affine"
    case .add: "add"
    case .activation: "activation"
    case .positions: "positions"
    case .lastRow: "last row"
    }
  }
}
