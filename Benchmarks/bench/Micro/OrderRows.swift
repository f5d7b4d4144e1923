import BacktestHarness
import EngineTelemetry
import LockFreeRings
import SimulatedVenue
import TradingEngine

/// What happens to an order: checks, route, venue; and the policy that a decision reads.
extension MicroBenchmarks {
  /// One order through the gate as the engine calls it, sign of life included. Refused ones take turns: too many lots, off the
  /// price grid, far from the market.
  @inline(never) func risk(_ samples: WalkSamples, passes: Bool) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    try pipeline.ledger.restore(samples.ledger)
    var intents = samples.intents
    if !passes {
      for index in intents.indices {
        switch index % 3 {
        case 0: intents[index].quantity = Quantity(lots: setup.configuration.limits.orderQuantityMax.lots + 1)
        case 1: intents[index].price = Price(nanos: intents[index].price.nanos + 1)
        default:
          let price = intents[index].price.nanos
          intents[index].price = Price(
            nanos: intents[index].side == .buy ? price * 2 : price / 2 / 10_000_000 * 10_000_000)
        }
      }
    }
    let (orders, inputs) = (intents.span, samples.risks.span)
    let round = samples.span.nanoseconds + 1_000_000_000
    var shift = TimeSpan.zero
    var place = 0
    // Numbers are used once.
    var number: UInt64 = 1 << 40
    var count = 0
    var passed = 0
    var lastReject: UInt16 = 0
    while timing.goesOn {
      var sum = 0
      let start = clock.now()
      for _ in 0..<timing.operations {
        var intent = orders[hidden(place)]
        var input = inputs[place]
        number += 1
        intent.clientOrderID = ClientOrderID(value: number)
        intent.time = intent.time + shift
        input.now = input.now + shift
        input.bookTime = input.bookTime + shift
        input.lastTradeTime = input.lastTradeTime + shift
        input.quote.time = input.quote.time + shift
        pipeline.gate.noteHeartbeat(at: input.now)
        let verdict = pipeline.gate.check(intent, input, pipeline.ledger)
        sum += verdict.isPass ? 1 : 0
        if !verdict.isPass { lastReject = verdict.check }
        place += 1
        if place == orders.count {
          place = 0
          shift = TimeSpan(nanoseconds: shift.nanoseconds + round)
        }
      }
      // Before `add`, which sets the size of the next batch.
      passed += sum
      count += timing.operations
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    let share = Double(passed) / Double(max(1, count))
    guard share == (passes ? 1 : 0) else {
      let check = RiskCheck(rawValue: lastReject).map { "\($0)" } ?? "none"
      throw UsageError("\(Readable.digits(100 * share)) % of the orders pass (refused last by \(check))")
    }
    return timing
  }

  /// One order divided over the venues' ladders, which are ready.
  @inline(never) func routing(_ samples: WalkSamples) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    let arena = Arena(capacityBytes: 16 << 20)
    var router = try OrderRouter(venues: setup.configuration.venueDirectory(), in: arena)
    let nothing = samples.children[0]
    var plan = RoutePlan(filler: nothing)
    let (orders, ladders, terms) = (samples.intents.span, samples.ladders.span, samples.terms.span)
    var place = 0
    while timing.goesOn {
      var sum: UInt64 = 0
      let start = clock.now()
      for _ in 0..<timing.operations {
        let instrument = Int(orders[hidden(place)].instrument.index)
        let outcome = router.route(
          orders[place], ladders: ladders[place].span, terms: terms[instrument], kill: KillState(),
          nextChildID: ClientOrderID(value: 1), into: &plan)
        // Wrapping: a sink for the optimiser.
        sum &+= UInt64(bitPattern: outcome.quantity.lots) &+ UInt64(truncatingIfNeeded: plan.count)
        place = place + 1 == orders.count ? 0 : place + 1
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    return timing
  }

  /// One child order sent, matched and reported to its end.
  @inline(never) func venue(_ samples: WalkSamples) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    var venues = try SimulatedVenues(
      venues: setup.configuration.venueDirectory(), split: setup.configuration.displaySplit(),
      instruments: setup.directory, in: Arena(capacityBytes: 16 << 20))
    let (children, depths) = (samples.children.span, samples.routedDepths.span)
    var place = 0
    while timing.goesOn {
      var sum: UInt64 = 0
      let start = clock.now()
      for _ in 0..<timing.operations {
        let child = children[hidden(place)]
        _ = venues.send(child, at: child.time)
        while let report = venues.receive(by: child.time, market: depths[place]) {
          // Wrapping: a sink for the optimiser.
          sum &+= UInt64(bitPattern: report.quantity.lots)
        }
        place = place + 1 == children.count ? 0 : place + 1
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    return timing
  }

  /// One look whether the policy changed, and its version.
  @inline(never) func policy() throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    let control = try EngineControl(policy: .standard(.normal), in: Arena(capacityBytes: 1 << 20))
    var reader = try control.reader()
    while timing.goesOn {
      var sum: UInt64 = 0
      let start = clock.now()
      for number in 0..<timing.operations {
        // Wrapping: a sink for the optimiser.
        sum &+= reader.read().policy.version &+ UInt64(hidden(number))
      }
      keep(sum)
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    return timing
  }
}
