public import LockFreeRings
public import PositionSizing
public import RegimeDetection
public import TradingTypes

/// A return that closed with a primary bar, on its way to the refits.
@frozen public struct ClosedReturn: BitwiseCopyable, Hashable, Sendable {
  /// Its number among those of the instrument, from 0.
  public var number: UInt64
  /// The return, percent.
  public var returnPercent: Double
  /// The instrument.
  public var instrument: InstrumentID

  /// Return `number` of `instrument`.
  @inlinable public init(number: UInt64, returnPercent: Double, instrument: InstrumentID) {
    self.number = number
    self.returnPercent = returnPercent
    self.instrument = instrument
  }
}

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
  }

  /// Instruments it serves.
  public let instrumentCount: Int
  /// Returns of an instrument that may close between the making of a change and its taking effect.
  public let catchUpMax: Int
  /// Which shard's desk it is, for the record: to be set before the first event.
  public var shard: UInt16 = 0
  /// What happened so far.
  public private(set) var counters = Counters()
  private var closed: Slab<UInt64>
  private var recent: Slab<Double>
  private var touched: Slab<Touch>
  // Working memory: the states before an adoption.
  private var former: Slab<RegimeState?>
  private var formerStateCount = 0
  private var barrier = Timestamp.distantPast
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
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  /// - Complexity: takes `arenaBytes` from the arena.
  public init(
    instrumentCount: Int, catchUpMax: Int = 64, ringCapacity: Int = 16_384, plan: RefitPlan = RefitPlan(),
    in arena: Arena
  ) throws(RingError) {
    precondition(instrumentCount > 0, "RefitDesk: at least one instrument")
    precondition(
      catchUpMax > 0 && catchUpMax <= 32_768 && catchUpMax & (catchUpMax - 1) == 0,
      "RefitDesk: catchUpMax is a power of two up to 32,768")
    var ring = try LatencyRing<ClosedReturn>(capacity: ringCapacity, in: arena)
    var slot: ExchangeSlot<RefitChange>
    do throws(ArenaError) { slot = try ExchangeSlot(in: arena) } catch { throw .arena(error) }
    self.instrumentCount = instrumentCount
    self.catchUpMax = catchUpMax
    self.plan = plan
    closed = Slab(repeating: 0, count: instrumentCount, in: arena)
    recent = Slab(repeating: 0, count: instrumentCount * catchUpMax, in: arena)
    touched = Slab(repeating: Touch(), count: instrumentCount, in: arena)
    former = Slab(repeating: nil, count: instrumentCount, in: arena)
    returns = ring.takeProducer()
    incoming = slot.takeConsumer()
    publisher = RefitPublisher(
      slot: slot.takePublisher(), returns: ring.takeConsumer(), instrumentCount: instrumentCount)
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

  /// Takes over a refit that is due at the bar's end `barrier`; whether one took effect. `record` then tells of it.
  ///
  /// - Complexity: one acquiring load when none waits, else O(instruments + returns taken in late); no allocation but for a refit that a
  ///   plan repeats.
  public mutating func adopt(
    at barrier: Timestamp, _ regimes: inout RegimeFilter, _ volatility: inout VolatilityFilter
  ) -> Bool {
    if planned < plan.groups.count, plan.groups[planned][0].barrier <= barrier {
      repeatPlanned(at: barrier, &regimes, &volatility)
      return true
    }
    if held == nil {
      guard incoming.isWaiting else { return false }
      held = incoming.take()
    }
    guard held != nil, held!.traits().earliest <= barrier, var change = held.take() else { return false }
    var missing: UInt64 = 0
    // Wrapping: a seed was made of returns that came from here, so it is not ahead.
    for index in 0..<instrumentCount { missing = max(missing, closed[index] &- change.seeds[index].closed) }
    let isInTime = missing <= UInt64(truncatingIfNeeded: catchUpMax)
    if isInTime {
      begin(at: barrier)
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
      number: counters.adopted, barrier: barrier, instrument: id, shard: shard, caughtUp: touch.caughtUp)
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
    for index in 0..<instrumentCount {
      let id = InstrumentID(index: UInt32(truncatingIfNeeded: index))
      let seed = change.seeds[index]
      if let part = seed.volatility { set(part, of: id, &volatility) }
      if let state = seed.regime { set(state, of: id, &regimes) }
      guard seed.regime != nil || seed.volatility != nil else { continue }
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
    let records = plan.groups[planned]
    planned += 1
    begin(at: barrier)
    if let model = records.compactMap(\.regime).first { replace(model.parameters, model.table, &regimes) }
    for record in records where Int(record.instrument.index) < instrumentCount {
      let index = Int(record.instrument.index)
      touched[index].caughtUp = record.caughtUp
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
