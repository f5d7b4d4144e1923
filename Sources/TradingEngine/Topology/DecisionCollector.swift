public import LockFreeRings
internal import TradingTypes

/// Puts what the pipelines of a topology did into the order of the input, and hands it to one sink: the decisions come as the inline
/// topology makes them. At a bar's end it adds the shards' parts up and gives every shard the total.
///
/// Off the hot path: on the thread that started the topology. Memory is the rings' own.
public struct DecisionCollector: ~Copyable {
  /// One pipeline's side.
  private final class Lane {
    var ring: ThroughputRing<KeyedOutput>.Consumer
    var totals: LatencyRing<BarrierPart>.Producer?
    let progress: SharedMaximum
    let name: String
    var doneKey: UInt64 = 0
    // What came of a refit so far.
    var refit = [UInt64](repeating: 0, count: RefitRecord.wordCount)
    // The same of a size.
    var sizing = InlineArray<32, UInt64>(repeating: 0)
    var hasEnded = false
    var isEmpty = true

    init(
      ring: consuming ThroughputRing<KeyedOutput>.Consumer, totals: consuming LatencyRing<BarrierPart>.Producer?,
      progress: SharedMaximum, name: String
    ) {
      self.ring = ring
      self.totals = totals
      self.progress = progress
      self.name = name
    }

    /// The oldest output, where there is one.
    func head() -> KeyedOutput? {
      // Looked at before the ring: what was told before it is in the ring by then, so an empty ring means that nothing up to it is left.
      let told = progress.value
      if ring.availableCount() > 0 { return ring.element(at: 0) }
      doneKey = max(doneKey, told)
      return nil
    }
  }
  private var lanes: [Lane] = []
  private let wait: TopologyWait
  private var plan = RoutePlan(filler: .nothing)
  /// Uses of the shared limits, by limit and ticket once `run` has returned; kept only when asked for.
  public private(set) var uses: [LimitUse] = []
  private let keepsUses: Bool

  /// A collector without pipelines.
  public init(keepsUses: Bool, wait: TopologyWait) {
    self.keepsUses = keepsUses
    self.wait = wait
  }

  /// Adds the next pipeline, in shard order.
  public mutating func add(
    _ ring: consuming ThroughputRing<KeyedOutput>.Consumer, totals: consuming LatencyRing<BarrierPart>.Producer?,
    progress: SharedMaximum, name: String
  ) {
    lanes.append(Lane(ring: ring, totals: totals, progress: progress, name: name))
  }

  /// Collects until every pipeline has ended, or the topology stops; whether all ended.
  public mutating func run<Sink: DecisionSink & ~Copyable>(into sink: inout Sink) -> Bool {
    var deadline = wait.patience
    var attempt = 0
    while !lanes.allSatisfy(\.hasEnded) {
      let blocker = step(into: &sink)
      if blocker == nil {
        attempt = 0
        continue
      }
      if attempt == 0 { deadline = wait.patience }
      attempt += 1
      if attempt % 64 == 0 {
        if wait.isOver { return false }
        // Nobody owes anything while no output waits: the feed may be quiet.
        if blocker!.isEmpty { deadline = wait.patience }
        if deadline.hasPassed {
          wait.reportStall(of: blocker!)
          return false
        }
      }
      if attempt < wait.strategy.spinsMax { spinPause() } else { yieldThread() }
    }
    uses.sort(by: LimitUse.isRecordedBefore)
    return true
  }

  /// Hands the first output in input order on; nil when it did, else who holds it up, empty when there is no output.
  private mutating func step<Sink: DecisionSink & ~Copyable>(into sink: inout Sink) -> String? {
    var first: (lane: Int, output: KeyedOutput)?
    for (index, lane) in lanes.enumerated() where !lane.hasEnded {
      // Looked at once: what comes in during the pass belongs to the next one.
      let head = lane.head()
      lane.isEmpty = head == nil
      if let head, first == nil || head.isBefore(first!.output) { first = (index, head) }
    }
    guard let first else { return "" }
    // A shard without output may still have one that comes before this one.
    for (index, lane) in lanes.enumerated() where index != first.lane && !lane.hasEnded && lane.isEmpty {
      let isPast = index < first.lane ? lane.doneKey >= first.output.key : lane.doneKey &+ 1 >= first.output.key
      if !isPast { return lane.name }
    }
    return handOn(first.output, of: lanes[first.lane], into: &sink)
  }

  private mutating func handOn<Sink: DecisionSink & ~Copyable>(
    _ keyed: KeyedOutput, of lane: Lane, into sink: inout Sink
  ) -> String? {
    switch keyed.output {
    case .decision(let decision, let children):
      guard lane.ring.availableCount(wanted: 1 + Int(children)) > Int(children) else { return lane.name }
      plan.count = 0
      for index in 0..<Int(children) {
        if case .child(let child) = lane.ring.element(at: 1 + index).output { _ = plan.append(child) }
      }
      lane.ring.release(1 + Int(children))
      sink.record(decision, plan: plan)
    case .report(let report):
      lane.ring.release(1)
      sink.record(report)
    case .use(let use, let time):
      lane.ring.release(1)
      sink.record(use, at: time)
      if keepsUses { uses.append(use) }
    case .swap(let swap):
      lane.ring.release(1)
      sink.record(swap)
    case .refit(let first, let words):
      lane.ring.release(1)
      for place in 0..<8 where Int(first) + place < RefitRecord.wordCount {
        lane.refit[Int(first) + place] = words[place]
      }
      guard Int(first) + 8 >= RefitRecord.wordCount else { break }
      guard let refit = RefitRecord(journalWords: lane.refit) else {
        preconditionFailure("DecisionCollector: a shard hands on what it made")
      }
      sink.record(refit)
    case .sizing(let words, let first):
      lane.ring.release(1)
      for place in 0..<16 { lane.sizing[Int(first) + place] = words[place] }
      guard Int(first) + 16 == SizedDecision.wordCount else { break }
      guard let sizing = SizedDecision(journalWords: lane.sizing) else {
        preconditionFailure("DecisionCollector: a shard hands on what it made")
      }
      sink.record(sizing)
    case .barrier: return exchange(at: keyed.key)
    case .end:
      lane.ring.release(1)
      lane.hasEnded = true
    case .child: lane.ring.release(1)
    }
    // Kept between outputs: progress is what was handed on, less one where more of the same place may come.
    lane.doneKey = max(lane.doneKey, keyed.key - min(keyed.key, 1))
    return nil
  }

  /// All shards stand at the same bar's end: the total goes to each.
  private mutating func exchange(at key: UInt64) -> String? {
    var total = BarrierPart()
    for lane in lanes {
      guard let head = lane.head(), case .barrier(let part) = head.output, head.key == key else { return lane.name }
      total.add(part)
    }
    for lane in lanes {
      lane.ring.release(1)
      // Less one: what the bar's end caused, a refit, comes behind it and before everything that other shards decide then. Each says so
      // when it is through (`endBarrier`).
      lane.doneKey = max(lane.doneKey, key - min(key, 1))
      // Never full: a shard takes the total before it can come to the next bar's end.
      _ = lane.totals!.tryPush(total)
    }
    return nil
  }
}

extension KeyedOutput {
  /// Whether it comes first in the input's order; a bar's end comes after what the shards did to reach it.
  fileprivate func isBefore(_ other: KeyedOutput) -> Bool {
    if key != other.key { return key < other.key }
    if case .barrier = output { return false }
    if case .barrier = other.output { return true }
    return false
  }
}
