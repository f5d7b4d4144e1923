public import EngineTelemetry
public import LockFreeRings
public import TradingTypes

/// Which shard a pipeline is, and its rings to the others; a pipeline that is alone has none.
public struct ShardSeat: ~Copyable, Sendable {
  let shard: Int
  let gross: SharedLimit.Handle
  let positions: SharedLimit.Handle
  let level: SharedMaximum
  let totals: LatencyRing<BarrierPart>.Consumer
  let isReplaying: Bool
}

/// A pipeline that decides on a thread of its own: takes its input from one ring, hands what it does to another.
public struct PipelineWorker<Model: Forecaster & ~Copyable, Gateway: VenueGateway & ~Copyable>: ~Copyable {
  /// The pipeline.
  public var pipeline: TradingPipeline<Model, Gateway, NoProbe, DecisionForwarder>
  private var input: ThroughputRing<TopologyInput>.Consumer
  private let wait: TopologyWait
  private var totals: LatencyRing<BarrierPart>.Consumer?
  private var level: SharedMaximum?
  private var toldLevel: UInt64 = 0
  private let isReplaying: Bool

  /// A worker that takes its input from `input`.
  public init(
    _ pipeline: consuming TradingPipeline<Model, Gateway, NoProbe, DecisionForwarder>,
    input: consuming ThroughputRing<TopologyInput>.Consumer, seat: consuming ShardSeat?, wait: TopologyWait
  ) {
    self.input = input
    self.wait = wait
    if let seat = consume seat {
      isReplaying = seat.isReplaying
      level = seat.level
      pipeline.join(shard: seat.shard, gross: seat.gross, positions: seat.positions)
      totals = consume seat.totals
    } else {
      isReplaying = false
      level = nil
      totals = nil
    }
    self.pipeline = pipeline
  }

  /// Works through the input until its end, or until the topology stops; whether it came to the end.
  ///
  /// - Complexity: no allocation an event.
  public mutating func run() -> Bool {
    while true {
      guard let next = input.tryPop() else {
        pipeline.sink.tellProgress()
        if pipeline.advanceModel() { continue }
        while !input.waitForElement(waiting: wait.strategy, until: wait.slice) { if wait.isOver { return false } }
        continue
      }
      switch next {
      case .event(let event): decide(event)
      case .context(let event): pipeline.context(event)
      case .barrier(let sequence, let time): if !meet(sequence, at: time) { return false }
      case .silence(let time): pipeline.feedWasSilent(until: time)
      case .line(let state): pipeline.line = state
      case .progress(let key):
        pipeline.sink.key = key
        pipeline.sink.tellProgress()
      case .end:
        pipeline.sink.key = .max
        pipeline.finish()
        if level != nil { pipeline.tellShare(at: .distantFuture, tag: .max) }
        pipeline.sink.put(.end)
        return true
      }
    }
  }

  /// One market event. Inlined, so that the pipeline's walk is compiled in its loop.
  @inline(__always) private mutating func decide(_ event: MarketEvent) {
    if level != nil { obeyOthers(at: event.time) }
    // Wrapping: message numbers stay far below 2^63.
    let key = event.sequence &<< 1 | 1
    if isReplaying {
      // It may wait for another shard's turn: what came before must not hold that one up.
      pipeline.sink.key = key &- 1
      pipeline.sink.tellProgress()
    }
    // An output an event would be one too many: a shard that decides nothing says so now and then.
    if key &- pipeline.sink.toldKey > 512 {
      pipeline.sink.key = key &- 1
      pipeline.sink.tellProgress()
    }
    pipeline.sink.key = key
    pipeline.ingest(event)
    if level != nil { tellOthers() }
  }

  /// Every shard gives its part, and goes on with the total.
  private mutating func meet(_ sequence: UInt64, at time: Timestamp) -> Bool {
    pipeline.sink.key = sequence &<< 1
    let part = pipeline.sampleBarrier(before: time, tag: sequence)
    pipeline.sink.put(.barrier(part))
    while true {
      // The collecting thread names a shard that does not come; this one only waits until it is over.
      if let total = totals!.pop(waiting: wait.strategy, until: wait.slice) {
        pipeline.takeShardBarrier(total, own: part, at: time)
        pipeline.sink.endBarrier()
        return true
      }
      if wait.isOver { return false }
    }
  }

  // MARK: - The kill switch of all shards

  /// Stops as far as another shard has stopped since the last re-arm.
  @inline(__always) private mutating func obeyOthers(at time: Timestamp) {
    let value = level!.value
    if value != toldLevel { obey(value, at: time) }
  }

  @inline(never) private mutating func obey(_ value: UInt64, at time: Timestamp) {
    toldLevel = value
    pipeline.obeyOtherShards(value, at: time)
  }

  @inline(__always) private mutating func tellOthers() {
    let own = pipeline.sharedKillValue
    if own > toldLevel {
      toldLevel = own
      level!.raise(to: own)
    }
  }
}

extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// The global kill level with the number of re-arms above it: a later re-arm outranks every earlier level.
  @usableFromInline var sharedKillValue: UInt64 {
    // Wrapping: re-arms are counted by people.
    kill.hasTripped || rearmCount != 0 ? rearmCount &<< 8 | UInt64(kill.global.rawValue) : 0
  }

  /// Takes over the level that another shard has tripped to, unless it was re-armed since.
  mutating func obeyOtherShards(_ value: UInt64, at time: Timestamp) {
    // The other shard has seen a re-arm that this one has not looked for yet.
    if value &>> 8 > rearmCount, control.refresh() { obeyControl(at: time) }
    guard value &>> 8 == rearmCount, let level = KillLevel(rawValue: UInt8(truncatingIfNeeded: value)) else { return }
    if level > .active { kill.trip(.global, to: level, .otherShard, at: time) }
  }

  /// The feed was silent for longer than the configuration allows.
  mutating func feedWasSilent(until time: Timestamp) {
    settle(by: time)
    kill.trip(.global, to: .reducing, .feedSilence, at: time)
  }

  /// A shard's part at the end of the last primary bar before `time`.
  mutating func sampleBarrier(before time: Timestamp, tag: UInt64) -> BarrierPart {
    let part = sampleBarrier(end: rules.barEnd(before: time))
    tellShare(at: time, tag: tag)
    return part
  }

  /// Goes on with the total of all shards.
  mutating func takeShardBarrier(_ total: BarrierPart, own: BarrierPart, at time: Timestamp) {
    share.othersGross = total.gross - own.gross
    // Wrapping: sums below 2^126. Halves are rounded down, the fall up.
    share.others = OtherBooks(
      dayProfit: Money(nanos: (total.dayGainTwice &- own.dayGainTwice) >> 1),
      drawdown: Money(nanos: (total.fallTwice &- own.fallTwice &+ 1) >> 1))
    takeBarrier(total, at: time)
  }
}
