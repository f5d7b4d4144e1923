import LockFreeRings
import ModelInference
import TradingTypes

/// Small ensembles of every kind of member, seeded, over the slots of a vector or over named features.
struct EnsembleModels {
  var forests: ForestModels
  let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    forests = ForestModels(seed: seed)
  }

  /// Names of the first features of a row of slots.
  static let slots = FeatureSlot.allCases.map(\.name)

  /// A forest over `features` features with a logistic link.
  mutating func forest(_ features: Int, trees: Int = 5, leaves: Int = 9) -> DecisionForest {
    var wish = ForestModels.Columns(features: features, columns: min(features, 12))
    wish.lengths = [1, 2, 7, 16, 17]
    var forest = forests.forest(.leafWise(leaves), trees: trees, columns: wish)
    forest.link = .logistic(scale: 1)
    return forest
  }

  /// A network with a logistic link: over one row, or over a window.
  func network(_ features: Int, window: Int = 1) -> QuantisedNetwork {
    var network =
      window == 1
      ? NetworkKernelNetworks.perceptron(seed: seed, [features, 8, 1])
      : NetworkKernelNetworks.recurrent(seed: seed, .lstm, layers: 2, features: features, hidden: 8, window: window)
    network.link = .logistic(scale: 1)
    return network
  }

  /// Two forests, a network over one row and one over a window, with trees or a logistic stack on them.
  mutating func model(
    features: [String] = slots, window: Int = 6, inputs: [Int]? = nil, stacksTrees: Bool = true,
    mode: NetworkState.Mode = .windowed
  ) -> EnsembleModel {
    let count = features.count
    let members = [
      EnsembleModel.Member(name: "first", kind: .forest(forest(count)), required: [0]),
      EnsembleModel.Member(name: "second", kind: .forest(forest(count, trees: 3, leaves: 40)), required: [1, 2]),
      EnsembleModel.Member(
        name: "row", kind: .network(NetworkMember(inputs: Array(0..<7), quantised: network(7)))),
      EnsembleModel.Member(
        name: "window",
        kind: .network(
          NetworkMember(
            inputs: inputs ?? [3, 1, 8], quantised: network((inputs ?? [3, 1, 8]).count, window: window), mode: mode))),
    ]
    let stack: CombinerValues.Stack =
      stacksTrees
      ? .forest(forest(members.count, trees: 4, leaves: 5))
      : .logistic(weights: [0.5, 1, 0.25, 2], bias: 0.1)
    return EnsembleModel(
      features: features, members: members,
      combiner: CombinerValues(
        averageWeights: [0.125, 0.25, 0.5, 0.125], stack: stack, calibration: .platt(slope: 0.75, intercept: 0.125)),
      metadata: ["name": "random"])
  }

  /// Rows of moderate values, some missing.
  mutating func rows(_ count: Int, features: Int, missingOneIn rate: Int = 9) -> [[Float]] {
    (0..<count).map { _ in
      (0..<features).map { _ in
        rate > 0 && forests.random.below(rate) == 0 ? .nan : Float(forests.random.unit() * 4 - 2)
      }
    }
  }

  /// The vector whose valid slots hold a row.
  static func vector(_ row: [Float]) -> FeatureVector {
    var vector = FeatureVector()
    for (slot, value) in row.enumerated() where !value.isNaN {
      vector.values[slot] = Double(value)
      vector.valid[slot] = true
    }
    return vector
  }
}

extension EnsembleModel {
  /// The model as the engine runs it: slots that no feature names get names of their own.
  var overSlots: EnsembleModel {
    reading(Array(features.indices), features: features, featureCount: FeatureVector.count)
  }
}

/// An arena with room for a model.
func arena(for model: EnsembleModel, instruments: Int = 1) -> Arena {
  Arena(capacityBytes: Ensemble.arenaBytes(for: model, instrumentCount: instruments))
}
