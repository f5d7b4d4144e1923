import BacktestHarness
import EngineTelemetry
import LockFreeRings
import SimulatedVenue
import TradingEngine

/// The stages one by one, and what stands beside them.
extension MicroBenchmarks {
  static let stageNames = [
    "features.event", "inference.trees100", "inference.lstm.tick", "hmm.step.K2",
    "hmm.step.K3", "hmm.step.K4", "garch.step", "gjr.step", "egarch.step", "sizing.single", "sizing.multi8",
    "risk.pass", "risk.reject", "policy.read",
    "route.decide", "venue.match",
  ]

  func stageRows(
    _ samples: WalkSamples, notes: inout [String], _ isSelected: (String) -> Bool
  ) throws -> [MicroRow] {
    var rows: [MicroRow] = []
    for name in Self.stageNames where isSelected(name) {
      do {
        if let timing = try stage(name, samples) { rows.append(timing.row(name)) }
      } catch let error as UsageError {
        // A row that would be mislabelled is left out; the rest of the report stands.
        notes.append("\(name): left out, \(error)")
      }
    }
    return rows
  }

  private func stage(_ name: String, _ samples: WalkSamples) throws -> MicroTiming? {
    // A walk too short for a kind of input gives no row for it, and a note.
    guard !samples.events.isEmpty, !samples.vectors.isEmpty else { return nil }
    switch name {
    case "features.event": return try features(samples)
    case "inference.trees100":
      return try inference(samples) { member in
        if case .forest(let forest) = member.kind { return forest.trees.count == 100 && forest.accumulation == .double }
        return false
      }
    case "inference.lstm.tick":
      return try inference(samples) { if case .network = $0.kind { true } else { false } }
    case "hmm.step.K2": return samples.returns.isEmpty ? nil : try regime(samples, states: 2)
    case "hmm.step.K3": return samples.returns.isEmpty ? nil : try regime(samples, states: 3)
    case "hmm.step.K4": return samples.returns.isEmpty ? nil : try regime(samples, states: 4)
    case "garch.step": return samples.returns.isEmpty ? nil : try volatility(samples, .garch)
    case "gjr.step": return samples.returns.isEmpty ? nil : try volatility(samples, .gjr)
    case "egarch.step": return samples.returns.isEmpty ? nil : try volatility(samples, .egarch)
    case "sizing.single": return samples.signals.isEmpty ? nil : try sizing(samples)
    case "sizing.multi8": return sizingOfEight()
    case "risk.pass": return samples.intents.isEmpty ? nil : try risk(samples, passes: true)
    case "risk.reject": return samples.intents.isEmpty ? nil : try risk(samples, passes: false)
    case "policy.read": return try policy()
    case "route.decide": return samples.intents.isEmpty ? nil : try routing(samples)
    case "venue.match": return samples.children.isEmpty ? nil : try venue(samples)
    default: return nil
    }
  }

  private var arena: Arena { Arena(capacityBytes: setup.arenaBytes) }

  // MARK: - 2: features

  /// One message after its book was changed.
  @inline(never) private func features(_ samples: WalkSamples) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    let (events, effects, depths) = (samples.events.span, samples.effects.span, samples.depths.span)
    let round = (events[events.count - 1].time - events[0].time).nanoseconds + 1_000_000
    var shift = TimeSpan.zero
    var place = 0
    while timing.goesOn {
      let start = clock.now()
      for _ in 0..<timing.operations {
        var event = events[hidden(place)]
        event.time = event.time + shift
        pipeline.features.update(event, effect: effects[place], depth: depths[place])
        place += 1
        if place == events.count {
          place = 0
          shift = TimeSpan(nanoseconds: shift.nanoseconds + round)
        }
      }
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    keep(UInt64(bitPattern: Int64(pipeline.features.instrumentCount)))
    return timing
  }

  // MARK: - 3: inference

  /// The members that are asked for, each with a full window where it looks back.
  private func inference(
    _ samples: WalkSamples, _ isAsked: (EnsembleModel.Member) -> Bool
  ) throws -> MicroTiming? {
    var model = try setup.artifact.onSlots()
    let members = model.members.filter(isAsked)
    guard !members.isEmpty else { return nil }
    if members.count < model.members.count {
      // The first that fits, alone: what is timed has one name.
      model.members = [members[0]]
      // Samples may lack what it requires: it is timed all the same.
      model.members[0].required = []
      model.combiner = nil
    }
    var ensemble = Ensemble(model, kernels: setup.kernels, in: arena)
    for place in 0..<model.window { ensemble.close(samples.vectors[place % samples.vectors.count], of: 0) }
    while ensemble.advance() {}
    return inference(samples, ensemble)
  }

  /// One forecast from a feature vector.
  @inline(never) private func inference(_ samples: WalkSamples, _ ensemble: consuming Ensemble) -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    var ensemble = ensemble
    let vectors = samples.vectors.span
    var place = 0
    while timing.goesOn {
      var sum = 0.0
      let start = clock.now()
      for _ in 0..<timing.operations {
        sum += ensemble.forecast(vectors[hidden(place)]).probabilityUp
        place = place + 1 == vectors.count ? 0 : place + 1
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    return timing
  }

  // MARK: - 4 and 5: regime, volatility, size

  /// One return taken into the hidden Markov model of one of the instruments.
  @inline(never) private func regime(_ samples: WalkSamples, states: Int) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    let stay = 0.96
    let leave = (1 - stay) / Double(states - 1)
    var filter = try RegimeFilter(
      instrumentCount: samples.terms.count,
      parameters: RegimeParameters(
        start: [Double](repeating: 1 / Double(states), count: states),
        transition: (0..<states).map { from in (0..<states).map { $0 == from ? stay : leave } },
        means: [Double](repeating: 0, count: states), variances: [0.0005, 0.002, 0.008, 0.04].suffix(states)),
      table: RegimeTable(
        roles: states == 2 ? [.bull, .bear] : [.bull, .sideways, .sideways, .bear].suffix(states)), in: arena)
    let returns = samples.returns.span
    let count = samples.terms.count
    var place = 0
    var index = 0
    while timing.goesOn {
      let start = clock.now()
      for _ in 0..<timing.operations {
        filter.step(InstrumentID(index: UInt32(truncatingIfNeeded: index)), returnPercent: returns[hidden(place)])
        place = place + 1 == returns.count ? 0 : place + 1
        index = index + 1 == count ? 0 : index + 1
      }
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    keep(filter.logLikelihood(of: InstrumentID(index: 0)))
    return timing
  }

  /// One return taken into the volatility model of one of the instruments.
  @inline(never) private func volatility(_ samples: WalkSamples, _ model: VolatilityModel) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    let parameters =
      model == .egarch
      ? try VolatilityParameters(.egarch, omega: -0.1, alpha: 0.1, gamma: -0.05, beta: 0.98)
      : try VolatilityParameters(omega: 0.0002, alpha: 0.05, gamma: model == .gjr ? 0.02 : 0, beta: 0.91)
    var filter = VolatilityFilter(instrumentCount: samples.terms.count, parameters: parameters, in: arena)
    let returns = samples.returns.span
    let count = samples.terms.count
    var place = 0
    var index = 0
    while timing.goesOn {
      var sum = 0.0
      let start = clock.now()
      for _ in 0..<timing.operations {
        let id = InstrumentID(index: UInt32(truncatingIfNeeded: index))
        sum += filter.step(id, returnPercent: returns[hidden(place)])
        place = place + 1 == returns.count ? 0 : place + 1
        index = index + 1 == count ? 0 : index + 1
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    return timing
  }

  /// One signal turned into an order, or into the reason for none.
  @inline(never) private func sizing(_ samples: WalkSamples) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    let pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    var sizer = pipeline.sizer
    let (signals, inputs) = (samples.signals.span, samples.sizing.span)
    var place = 0
    while timing.goesOn {
      var sum: UInt64 = 0
      let start = clock.now()
      for _ in 0..<timing.operations {
        // Wrapping: a sink for the optimiser.
        if case .intent(let intent) = sizer.size(signals[hidden(place)], inputs[place]) {
          sum &+= UInt64(bitPattern: intent.quantity.lots)
        }
        place = place + 1 == signals.count ? 0 : place + 1
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    return timing
  }

  /// Eight assets sized at once, long only within a leverage, with another mean each time.
  @inline(never) private func sizingOfEight() -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    let sizing = MultiAssetSizing()
    var covariance = AssetCovariance(zeros: 8)
    // Volatilities of 1 to 2 percent, correlations of 0.3.
    for row in 0..<8 {
      for column in 0...row {
        let product = (0.01 + 0.00125 * Double(row)) * (0.01 + 0.00125 * Double(column))
        covariance[row, column] = row == column ? product : 0.3 * product
      }
    }
    var random = SplitMix64(seed: 8)
    let means = (0..<64).map { _ in AssetVector((0..<8).map { _ in 0.001 * (random.unit() - 0.3) }) }
    var place = 0
    while timing.goesOn {
      var sum = 0.0
      let start = clock.now()
      for _ in 0..<timing.operations {
        sum += sizing.size(mean: means[hidden(place)], covariance: covariance).fractions[0]
        place = place + 1 == means.count ? 0 : place + 1
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    return timing
  }
}
