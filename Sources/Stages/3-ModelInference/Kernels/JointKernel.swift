internal import LockFreeRings
internal import TradingTypes

/// Stack, average and calibration, ready to run: from the members' logits to a forecast.
@safe struct JointKernel: ~Copyable {
  private let combiner: Combiner
  private let curve: CalibrationCurve
  // The trees stacked on the members and what they read, or nothing.
  private let forest: UnsafeMutablePointer<ForestKernel>?
  private let forestScale: Double
  private var row: KernelRow

  /// - Precondition: the model is sound and forecasts a direction; the set is supported and not `best`.
  init(_ model: EnsembleModel, set: KernelSet, in arena: Arena) {
    let values = model.joining
    combiner = Combiner(values)
    curve = CalibrationCurve(values.calibration, in: arena)
    row = KernelRow(featureCount: model.members.count, in: arena)
    if case .forest(let trees) = values.stack {
      let memory = UnsafeMutablePointer<ForestKernel>.allocate(capacity: 1)
      // In bounds: room for one.
      unsafe memory.initialize(to: ForestKernel(trees, set: set, in: arena))
      unsafe forest = memory
      forestScale = Self.scale(of: trees)
    } else {
      unsafe forest = nil
      forestScale = 1
    }
  }

  deinit {
    // Initialised exactly where it is there.
    unsafe forest?.deinitialize(count: 1)
    unsafe forest?.deallocate()
  }

  private static func scale(of trees: DecisionForest) -> Double {
    guard case .logistic(let scale) = trees.link else { return 1 }
    return scale / trees.divisor
  }

  static func arenaBytes(for model: EnsembleModel) -> Int {
    var bytes =
      KernelRow.arenaBytes(featureCount: model.members.count)
      + CalibrationCurve.arenaBytes(for: model.joining.calibration)
    if case .forest(let trees) = model.joining.stack { bytes += ForestKernel.arenaBytes(for: trees) }
    return bytes
  }

  /// The joined logit of the members in `present`, a bit each, before calibration.
  ///
  /// - Precondition: at least one member is present.
  mutating func logit(_ logits: borrowing InlineArray<8, Double>, present: UInt32) -> Double {
    guard let forest = unsafe forest else {
      return combiner.joined(logits, present: present, meta: combiner.stacked(logits, present: present))
    }
    for member in 0..<combiner.count {
      row.set(member, present >> UInt32(member) & 1 == 1 ? Float(logits[member]) : .nan)
    }
    // Initialised in `init`.
    let meta = unsafe forest.pointee.raw(row) * forestScale
    return combiner.joined(logits, present: present, meta: meta)
  }

  /// The calibrated forecast; unusable without a member, or where a number is not finite.
  ///
  /// - Complexity: O(members + trees stacked on them), no allocation.
  mutating func forecast(_ logits: borrowing InlineArray<8, Double>, present: UInt32) -> Forecast {
    guard present != 0 else { return .unusable }
    let logit = logit(logits, present: present)
    return combiner.forecast(logits, present: present, probability: curve.probability(logit: logit))
  }
}

extension EnsembleModel {
  /// How its members are joined; equal weights where nothing says so.
  var joining: CombinerValues { combiner ?? .equal(memberCount: members.count) }
}
