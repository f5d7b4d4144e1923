import LockFreeRings
import ModelInference
import TradingEngine
import TradingTypes

/// Small seeded models over the slots of a vector: trees, and a network over a window where one is wanted.
struct ModelDeskModels {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func float(_ scale: Float) -> Float { Float(random.unit() * 2 - 1) * scale }

  /// Trees of one decision each, over every slot in turn.
  mutating func forest(trees: Int = 60, scale: Double = 1) -> DecisionForest {
    let count = FeatureVector.count
    let columns = (0..<count).map { slot in
      DecisionForest.Column(feature: slot, sight: .thresholds([float(1) - 2, float(1) + 1], missing: .nan))
    }
    let list = (0..<trees).map { number in
      DecisionForest.Tree(
        nodes: [
          DecisionForest.Node(
            column: UInt16(number % count), test: UInt16(random.below(2)), missingGoesRight: random.below(2) == 0,
            left: ~0, right: ~1)
        ], leaves: [(random.unit() - 0.5) * scale, (random.unit() - 0.5) * scale])
    }
    return DecisionForest(featureCount: count, columns: columns, trees: list, link: .logistic(scale: 1))
  }

  mutating func product(terms: Int, outputs: Int) -> QuantisedNetwork.Product {
    let unit = 2 / (Float(terms).squareRoot() * 74 * 74)
    return QuantisedNetwork.Product(
      terms: terms, outputs: outputs, weights: (0..<terms * outputs).map { _ in Int8(random.below(255) - 127) },
      scales: (0..<outputs).map { _ in unit * (1 + float(0.5)) }, bias: (0..<outputs).map { _ in float(0.3) })
  }

  /// An LSTM over `window` rows of four slots.
  mutating func network(window: Int, hidden: Int = 8) -> QuantisedNetwork {
    let features = 4
    var input = product(terms: features, outputs: 4 * hidden)
    input.bias = [Float](repeating: 0, count: 4 * hidden)
    let layer = QuantisedNetwork.Recurrent(
      source: 0, cell: .lstm, hidden: hidden, input: input, recurrent: product(terms: hidden, outputs: 4 * hidden))
    let codes = QuantisedNetwork.Encoding(factor: 127, zeroPoint: 128)
    let head = QuantisedNetwork.Dense(source: 2, product: product(terms: hidden, outputs: 1))
    return QuantisedNetwork(
      featureCount: features, window: window, missingValues: [Float](repeating: 0.1, count: features),
      input: QuantisedNetwork.Input(
        centers: [Float](repeating: 0, count: features), factors: [Float](repeating: 40, count: features)),
      operators: [.recurrent(layer), .single(.lastRow(source: 1)), .dense(head)],
      encodings: [nil, codes, codes, nil], link: .logistic(scale: 1))
  }

  /// Trees alone, or trees and a network over a window.
  static func model(_ seed: UInt64, window: Int = 1, mode: NetworkState.Mode = .windowed) -> EnsembleModel {
    var models = ModelDeskModels(seed: seed)
    var members = [EnsembleModel.Member(name: "trees", kind: .forest(models.forest()))]
    var combiner: CombinerValues?
    if window > 1 {
      let network = NetworkMember(inputs: [3, 1, 8, 40], quantised: models.network(window: window), mode: mode)
      members.append(EnsembleModel.Member(name: "window", kind: .network(network)))
      combiner = CombinerValues(averageWeights: [0.25, 0.75], stack: .logistic(weights: [0.5, 2], bias: 0.1))
    }
    return EnsembleModel(
      features: (0..<FeatureVector.count).map { "slot \($0)" }, members: members, combiner: combiner)
  }

  /// A random vector: moderate values, some missing.
  mutating func vector() -> FeatureVector {
    var vector = FeatureVector()
    for slot in 0..<FeatureVector.count where random.below(9) != 0 {
      vector.values[slot] = random.unit() * 4 - 2
      vector.valid[slot] = true
    }
    return vector
  }
}

/// A forecast as bits.
struct ForecastBits: Hashable {
  var probability: UInt64
  var confidence: UInt64
  var members: UInt32
  var isUsable: Bool

  init(_ forecast: Forecast) {
    probability = forecast.probabilityUp.bitPattern
    confidence = forecast.confidence.bitPattern
    members = forecast.members
    isUsable = forecast.isUsable
  }
}

/// What comes to a desk, seeded: questions, closed bars, breaks, vectors that are not finite.
struct ModelDeskFeed {
  enum Step {
    case question(FeatureVector, Int)
    case bar(FeatureVector, Int, isFirst: Bool)
  }

  let instruments: Int
  private(set) var steps: [Step] = []

  init(seed: UInt64, count: Int, instruments: Int) {
    self.instruments = instruments
    var models = ModelDeskModels(seed: seed)
    for _ in 0..<count {
      var vector = models.vector()
      let instrument = models.random.below(instruments)
      if models.random.below(3) == 0 {
        steps.append(.question(vector, instrument))
      } else {
        if models.random.below(150) == 0 {
          vector.values[5] = 1e300
          vector.valid[5] = true
        }
        steps.append(.bar(vector, instrument, isFirst: models.random.below(100) == 0))
      }
    }
  }

  /// The forecasts of one model that is there from the start.
  func forecasts(of model: EnsembleModel) -> [ForecastBits?] {
    let arena = Arena(capacityBytes: Ensemble.arenaBytes(for: model, instrumentCount: instruments))
    var ensemble = Ensemble(model, instrumentCount: instruments, in: arena)
    return steps.map { step in
      switch step {
      case .question(let vector, let instrument): return ForecastBits(ensemble.forecast(vector, of: instrument))
      case .bar(let vector, let instrument, let isFirst):
        ensemble.close(vector, of: instrument, isFirst: isFirst)
        return nil
      }
    }
  }
}

extension ModelDesk {
  /// Works through one step as the event `sequence`; the forecast, where one was asked for.
  mutating func take(_ step: ModelDeskFeed.Step, _ sequence: UInt64) -> Forecast? {
    let time = Timestamp(nanoseconds: Int64(sequence) * 1_000)
    while takeSwap(before: sequence, at: time) != nil {}
    switch step {
    case .question(let vector, let instrument):
      return forecast(vector, for: InstrumentID(index: UInt32(instrument)), at: time)
    case .bar(let vector, let instrument, let isFirst):
      close(vector, for: InstrumentID(index: UInt32(instrument)), at: time, isFirst: isFirst)
      return nil
    }
  }

  /// A desk in an arena of its own.
  static func standing(
    _ champion: EnsembleModel, id: UInt64 = 1, instruments: Int = 1, windowMax: Int = 12, plan: SwapPlan = SwapPlan()
  ) throws -> ModelDesk {
    try ModelDesk(
      champion: DeskModel(champion, id: id, version: UInt32(id), instrumentCount: instruments), windowMax: windowMax,
      plan: plan, in: Arena(capacityBytes: ModelDesk.arenaBytes(instrumentCount: instruments, windowMax: windowMax)))
  }
}

extension ModelPublisher {
  /// How the last change took effect; its former model ends here.
  mutating func collectEffect() -> ModelSwap? {
    guard let change = collect() else { return nil }
    return change.effect
  }
}
