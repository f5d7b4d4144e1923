public import LockFreeRings
public import PositionSizing
public import RegimeDetection
public import TradingTypes

/// Where refitted parameters of the regime and volatility filters come into the pipeline, and closed returns go out.
///
/// ```
///  the pipeline's thread                                another thread
///  bar closes ── close(return) ──► ring ──────────────► windows ─► fits ─► states over the newest returns
///  bar's end ◄─ adopt: filters ◄── slot ◄── publish(change) ◄───────────────────────┘
///                   └── the same change, with its outcome ──► collect()
/// ```
///
/// A change takes effect as a whole at the end of a primary bar, the same instant for every instrument and in every topology. Returns
/// that closed after its states were made are taken in under the new parameters before anything else sees them, up to `catchUpMax` of
/// each instrument; a change that lacks more is given back as late and nothing happens. So no observation is lost, and none twice.
///
/// The regime in force never changes with the parameters: role, flips, observations and what hysteresis has counted go on. Where the new model holds
/// another regime for the most probable one than the old did, its count begins at 0: it has to say so for as many observations as any
/// other change of regime takes.
///
/// Shards have a desk each, and change at the same bar's end: every desk says by a `RefitVote` whether it has a change, and all take it
/// over where all of them have it. There is no instant beforehand that all threads would be sure to reach later.
public struct RefitDesk: ~Copyable {
  /// What the desk did.
  @frozen public struct Counters: BitwiseCopyable, Hashable, Sendable {
    /// Changes that took effect.
    public var adopted: UInt64 = 0
    /// Changes that were too old.
    public var late: UInt64 = 0
    /// Returns taken in late, over all instruments.
    public var caughtUp: UInt64 = 0
    /// Returns that found no room on their way out: the window of their instrument begins anew.
    public var lostReturns: UInt64 = 0

    /// All zero.
    @inlinable public init() {}
  }

  /// What a change did to an instrument.
  private struct Touch: BitwiseCopyable {
    var regime = false
    var volatility = false
    var caughtUp: UInt16 = 0
    var shard: UInt16 = 0
    var place: UInt32 = 0
  }

  /// Instruments it serves.
  public let instrumentCount: Int
  /// Returns of an instrument that may close between the making of a change and its taking effect.
  public let catchUpMax: Int
  /// Desks that change together: one for each shard, or 1.
  public let deskCount: Int
  /// Which shard's desk it is.
  public let shard: UInt16
  /// What happened so far.
  public private(set) var counters = Counters()
  private var closed: Slab<UInt64>
  private var recent: Slab<Double>
  private var touched: Slab<Touch>
  // Working memory: the states before an adoption.
  private var former: Slab<RegimeState?>
  private var formerStateCount = 0
  private var barrier = Timestamp.distantPast
  private var number: UInt64 = 0
  private var recordCount: UInt32 = 0
  private var returns: LatencyRing<ClosedReturn>.Producer
  private var incoming: ExchangeSlot<RefitChange>.Consumer
  private var publisher: RefitPublisher?
  private var held: RefitChange?
  private var plan: RefitPlan
  private var planned = 0

  /// A desk for the filters of a pipeline.
  ///
  /// - Parameters:
  ///   - instrumentCount: instruments of the pipeline.
  ///   - catchUpMax: see above; a power of two up to 32,768.
  ///   - ringCapacity: returns that wait for the other thread while it fits; a power of two.
  ///   - plan: refits that a replay repeats.
  ///   - deskCount: desks that change together: one for each shard of the sharded topology, whose refits come from one `Refitter`.
  ///   - shard: which shard's desk it is, for the record.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  /// - Complexity: takes `arenaBytes` from the arena.
  public init(
    instrumentCount: Int, catchUpMax: Int = 64, ringCapacity: Int = 16_384, plan: RefitPlan = RefitPlan(),
    deskCount: Int = 1, shard: Int = 0, in arena: Arena
  ) throws(RingError) {
    precondition(instrumentCount > 0, "RefitDesk: at least one instrument")
    precondition(
      catchUpMax > 0 && catchUpMax <= 32_768 && catchUpMax & (catchUpMax - 1) == 0,
      "RefitDesk: catchUpMax is a power of two up to 32,768")
    precondition((1...ShardMap.countMax).contains(deskCount), "RefitDesk: 1 to 16 desks change together")
    var ring = try LatencyRing<ClosedReturn>(capacity: ringCapacity, in: arena)
    var slot: ExchangeSlot<RefitChange>
    do throws(ArenaError) { slot = try ExchangeSlot(in: arena) } catch { throw .arena(error) }
    self.instrumentCount = instrumentCount
    self.catchUpMax = catchUpMax
    precondition((0..<ShardMap.countMax).contains(shard), "RefitDesk: shard 0 to 15")
    self.deskCount = deskCount
    self.shard = UInt16(shard)
    self.plan = plan
    closed = Slab(repeating: 0, count: instrumentCount, in: arena)
    recent = Slab(repeating: 0, count: instrumentCount * catchUpMax, in: arena)
    touched = Slab(repeating: Touch(), count: instrumentCount, in: arena)
    former = Slab(repeating: nil, count: instrumentCount, in: arena)
    returns = ring.takeProducer()
    incoming = slot.takeConsumer()
    publisher = RefitPublisher(
      slot: slot.takePublisher(), returns: ring.takeConsumer(), instrumentCount: instrumentCount, deskCount: deskCount,
      shard: shard)
    meetTypes()
  }

  /// The layout of an optional change is made when it is first met: not at a bar's end.
  @inline(never) private mutating func meetTypes() {
    held = incoming.take()
    held = nil
  }

  /// Bytes of arena memory a desk takes.
  public static func arenaBytes(instrumentCount: Int, catchUpMax: Int = 64, ringCapacity: Int = 16_384) -> Int {
    instrumentCount * (MemoryLayout<UInt64>.stride + MemoryLayout<Touch>.stride + catchUpMax * 8)
      + instrumentCount * MemoryLayout<RegimeState?>.stride + ringCapacity * 64 + MemoryLayout<RefitChange>.stride
      + 4_096
  }

  /// The other thread's end.
  ///
  /// - Precondition: taken once.
  public mutating func takePublisher() -> RefitPublisher {
    guard let taken = publisher.take() else { preconditionFailure("RefitDesk: the publisher is taken once") }
    return taken
  }

  /// Returns of `id` that have closed.
  public func closedCount(of id: InstrumentID) -> UInt64 { closed[Int(id.index)] }

  /// Keeps a return that the filters have taken, and hands it out.
  ///
  /// - Precondition: `id.index < instrumentCount`.
  /// - Complexity: O(1), wait-free, no allocation.
  public mutating func close(_ id: InstrumentID, returnPercent: Double) {
    let index = Int(id.index)
    let number = closed[index]
    // In range: the remainder is below the capacity, which is a power of two.
    recent[index * catchUpMax + Int(truncatingIfNeeded: number) & (catchUpMax - 1)] = returnPercent
    // Wrapping: 2^64 bars take longer than any machine lives.
    closed[index] = number &+ 1
    if !returns.tryPush(ClosedReturn(number: number, returnPercent: returnPercent, instrument: id)) {
      counters.lostReturns &+= 1
    }
  }

  /// The desk's word at the bar's end `barrier`, to be added to those of the others: whether a change is here that is due and in time.
  ///
  /// - Complexity: one acquiring load when none waits, else O(instruments); no allocation.
  public mutating func vote(at barrier: Timestamp) -> RefitVote {
    guard deskCount > 1, planned == plan.count, isHolding(at: barrier) else { return RefitVote() }
    return held!.lag(behind: closed) <= UInt64(truncatingIfNeeded: catchUpMax)
      ? RefitVote(ready: 1, late: 0) : RefitVote(ready: 0, late: 1)
  }

  /// Whether a change is here that is due.
  private mutating func isHolding(at barrier: Timestamp) -> Bool {
    if held == nil {
      guard incoming.isWaiting else { return false }
      held = incoming.take()
    }
    return held != nil && held!.traits().earliest <= barrier
  }

  /// Takes over a refit that is due at the bar's end `barrier`; whether one took effect. `record` then tells of it.
  ///
  /// - Parameter votes: the sum over all desks, where there are several: a change takes effect where each of them has it in time.
  /// - Complexity: one acquiring load when none waits, else O(instruments + returns taken in late); no allocation but for a refit that a
  ///   plan repeats.
  public mutating func adopt(
    at barrier: Timestamp, _ regimes: inout RegimeFilter, _ volatility: inout VolatilityFilter,
    votes: RefitVote = RefitVote()
  ) -> Bool {
    if planned < plan.groups.count, plan.groups[planned].barrier <= barrier {
      repeatPlanned(at: barrier, &regimes, &volatility)
      return true
    }
    if deskCount > 1 {
      // Nothing came in between vote and sum: what all said of this bar's end is what they have.
      guard Int(votes.ready) + Int(votes.late) == deskCount else { return false }
    } else {
      // A change waits until the plan is through: it would be overwritten, and refits would be counted twice.
      guard planned == plan.count, isHolding(at: barrier) else { return false }
    }
    guard var change = held.take() else { return false }
    let missing = change.lag(behind: closed)
    let isInTime = votes.late == 0 && missing <= UInt64(truncatingIfNeeded: catchUpMax)
    if isInTime {
      begin(at: barrier)
      (number, recordCount) = (counters.adopted, change.recordCount)
      apply(change, &regimes, &volatility)
      change.outcome = .adopted(
        number: counters.adopted, barrier: barrier, caughtUp: Int(truncatingIfNeeded: missing))
    } else {
      counters.late &+= 1
      change.outcome = .late
    }
    incoming.giveBack(change)
    return isInTime
  }

  /// What the last refit changed for the instrument at `index`, as it took effect; nil where it changed nothing.
  ///
  /// To be asked right after `adopt`, before another observation.
  public func record(
    of index: Int, _ regimes: borrowing RegimeFilter, _ volatility: borrowing VolatilityFilter
  ) -> RefitRecord? {
    let touch = touched[index]
    guard touch.regime || touch.volatility else { return nil }
    let id = InstrumentID(index: UInt32(truncatingIfNeeded: index))
    var record = RefitRecord(
      number: number, barrier: barrier, instrument: id, shard: touch.shard, caughtUp: touch.caughtUp,
      place: touch.place, recordCount: recordCount)
    if touch.regime {
      record.regime = RefitRecord.RegimePart(
        parameters: regimes.parameters, table: regimes.table, state: regimes.snapshot(of: id))
    }
    if touch.volatility {
      record.volatility = RefitRecord.VolatilityPart(
        parameters: volatility.parameters(of: id), state: volatility.snapshot(of: id))
    }
    return record
  }

  // MARK: - Taking effect

  private mutating func begin(at barrier: Timestamp) {
    self.barrier = barrier
    // Wrapping: a refit a nanosecond for centuries.
    counters.adopted &+= 1
    for index in 0..<instrumentCount { touched[index] = Touch() }
  }

  /// Puts a change's parameters and states in place, and takes in what closed since they were made.
  private mutating func apply(
    _ change: borrowing RefitChange, _ regimes: inout RegimeFilter, _ volatility: inout VolatilityFilter
  ) {
    if let model = change.model { replace(model.parameters, model.table, &regimes) }
    var place = change.firstPlace
    for index in 0..<instrumentCount {
      let id = InstrumentID(index: UInt32(truncatingIfNeeded: index))
      let seed = change.seeds[index]
      if let part = seed.volatility { set(part, of: id, &volatility) }
      if let state = seed.regime { set(state, of: id, &regimes) }
      guard seed.regime != nil || seed.volatility != nil else { continue }
      touched[index].shard = shard
      touched[index].place = place
      // Wrapping: a count of instruments.
      place &+= 1
      var number = seed.closed
      while number != closed[index] {
        let value = recent[index * catchUpMax + Int(truncatingIfNeeded: number) & (catchUpMax - 1)]
        if seed.volatility != nil { _ = volatility.step(id, returnPercent: value) }
        if seed.regime != nil { regimes.step(id, returnPercent: value) }
        // Wrapping: reaches the count, which is at most `catchUpMax` ahead.
        number &+= 1
      }
      touched[index].caughtUp = UInt16(truncatingIfNeeded: closed[index] &- seed.closed)
      counters.caughtUp &+= closed[index] &- seed.closed
      if seed.regime != nil { keepRegime(of: id, isThin: seed.isThin, &regimes) }
    }
  }

  /// Repeats a recorded refit: every state as it was then.
  private mutating func repeatPlanned(
    at barrier: Timestamp, _ regimes: inout RegimeFilter, _ volatility: inout VolatilityFilter
  ) {
    let group = plan.groups[planned]
    planned += 1
    begin(at: barrier)
    // As it was recorded: the journal of a replay is that of the run.
    (number, recordCount) = (group.number, group.recordCount)
    if let model = group.regime { replace(model.parameters, model.table, &regimes) }
    for record in group.records where Int(record.instrument.index) < instrumentCount {
      let index = Int(record.instrument.index)
      (touched[index].caughtUp, touched[index].shard) = (record.caughtUp, record.shard)
      touched[index].place = record.place
      if let part = record.volatility { set(part, of: record.instrument, &volatility) }
      if let part = record.regime { set(part.state, of: record.instrument, &regimes) }
    }
  }

  /// Another model for every instrument; what they were is in `former`.
  private mutating func replace(
    _ parameters: RegimeParameters, _ table: RegimeTable, _ regimes: inout RegimeFilter
  ) {
    for index in 0..<instrumentCount {
      former[index] = regimes.snapshot(of: InstrumentID(index: UInt32(truncatingIfNeeded: index)))
    }
    formerStateCount = regimes.parameters.stateCount
    do throws(ConfigurationError) { try regimes.adopt(parameters, table: table) } catch {
      preconditionFailure("RefitDesk: a model and its table have as many states")
    }
  }

  private mutating func set(_ state: RegimeState, of id: InstrumentID, _ regimes: inout RegimeFilter) {
    do throws(ConfigurationError) { try regimes.restore(state, of: id) } catch {
      preconditionFailure("RefitDesk: a regime state is one that a filter gave")
    }
    touched[Int(id.index)].regime = true
  }

  private mutating func set(
    _ part: RefitRecord.VolatilityPart, of id: InstrumentID, _ volatility: inout VolatilityFilter
  ) {
    volatility.adopt(part.parameters, part.state, of: id)
    touched[Int(id.index)].volatility = true
  }

  /// The regime in force goes on, and so does its hysteresis where both models name the same candidate.
  private mutating func keepRegime(of id: InstrumentID, isThin: Bool, _ regimes: inout RegimeFilter) {
    guard let before = former[Int(id.index)] else { return }
    var now = regimes.snapshot(of: id)
    now.regime = before.regime
    now.flips = before.flips
    // Too little was seen anew to forget the start by: labels mean the same under both models, so the probabilities go on.
    if isThin, formerStateCount == regimes.parameters.stateCount { now.probabilities = before.probabilities }
    now.observations = max(now.observations, before.observations)
    now.candidateObservations = now.candidate == before.candidate ? before.candidateObservations : 0
    set(now, of: id, &regimes)
  }
}

// The only owner of its memory; the publisher is another value: it may move to another thread.
extension RefitDesk: @unchecked Sendable {}
