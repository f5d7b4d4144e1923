internal import EngineTelemetry
internal import LockFreeRings
internal import SimulatedVenue
internal import Synchronization
internal import TradingEngine
internal import TradingTypes

/// The threads, rings and shared limits of one run.
struct TopologyThreads: ~Copyable {
  private let plan: TopologyRun
  private let status: TopologyStatus
  private let arena: Arena
  private let processors: [Int?]
  private let spinsMax: Int
  private var refits: RefitThread?
  private var threads: [(thread: PinnedThread, name: String, slot: ThreadSlot)] = []

  init(_ plan: TopologyRun) {
    self.plan = plan
    status = TopologyStatus(patienceMilliseconds: plan.patienceMilliseconds)
    let record = MemoryLayout<KeyedOutput>.stride + MemoryLayout<TopologyInput>.stride
    arena = Arena(capacityBytes: (ShardMap.countMax + 1) * (plan.ringCapacity * record + (1 << 20)))
    // A thread each where there are processors enough; else they share, and waiting must not keep the others from running.
    let allowed = ThreadConfiguration.allowedProcessors
    let needed = plan.topology.threadCount + 1
    let isRoomy = allowed.count >= needed
    processors = (0..<needed).map { isRoomy ? allowed[$0] : nil }
    spinsMax = isRoomy ? 1 << 14 : 32
  }

  consuming func run<Sink: DecisionSink & ~Copyable>(
    _ bytes: [UInt8], countMax: UInt64, into sink: consuming Sink
  ) throws(TopologyError) -> TopologyOutcome<Sink> {
    var collector = DecisionCollector(
      keepsUses: true, wait: TopologyWait("collect", status: status, spinsMax: spinsMax))
    var portfolio: ShardedPortfolio?
    do {
      guard plan.ringCapacity >= TopologyRun.ringCapacityMin else {
        throw ConfigurationError(
          "rings of \(plan.ringCapacity) elements, at least \(TopologyRun.ringCapacityMin) expected")
      }
      let control = try plan.control ?? plan.setup.makeControl(in: arena)
      if case .sharded(let count) = plan.topology {
        portfolio = try startShards(count, control: control, bytes, countMax, into: &collector)
      } else {
        try startSplit(control: control, bytes, countMax, into: &collector)
      }
    } catch {
      status.fail(.setUp(thread: "engine", reason: "\(error)"))
    }
    let isWhole = status.isStopping ? false : collector.run(into: &sink)
    end()
    refits?.stop()
    if let divergence = portfolio?.divergence { throw .diverged(divergence) }
    if let failure = status.failure { throw failure }
    // In shard order, as the threads were started.
    let results = threads.compactMap { $0.slot.result }
    let expected = max(1, threads.count { $0.name.hasPrefix("shard") })
    guard isWhole, results.count == expected else {
      throw .stalled(waiting: "engine", missing: "a result", milliseconds: plan.patienceMilliseconds)
    }
    return TopologyOutcome(
      sink: sink, summary: ReplaySummary(sharing: results.map(\.summary), plan.setup.configuration.startingCash),
      holdings: results[0].holdings.indices.map { index in
        Quantity(lots: results.reduce(0) { $0 + $1.holdings[index].lots })
      }, uses: collector.uses, leaks: results.compactMap(\.leak), refits: refits?.report)
  }

  /// Lets every thread end; one that hangs is left behind, its memory with it.
  private func end() {
    let deadline = Deadline.after(milliseconds: plan.patienceMilliseconds)
    for (thread, name, slot) in threads {
      while !slot.hasEnded, !deadline.hasPassed { yieldThread() }
      if slot.hasEnded {
        thread.join()
      } else {
        status.fail(.stalled(waiting: "engine", missing: name, milliseconds: plan.patienceMilliseconds))
      }
    }
  }

  private mutating func start(_ name: String, _ body: @escaping @Sendable (TopologyWait) -> ShardResult?) {
    let wait = TopologyWait(name, status: status, spinsMax: spinsMax)
    let slot = ThreadSlot()
    let configuration = ThreadConfiguration(name: name, processor: processors[threads.count + 1])
    threads.append(
      (
        PinnedThread(configuration) {
          slot.end(with: body(wait))
        }, name, slot
      ))
  }

  // MARK: - Threads

  /// The thread that decodes and distributes.
  private mutating func startIngest(
    lanes: [Handoff<ThroughputRing<TopologyInput>.Producer>], map: ShardMap?, _ bytes: [UInt8], _ countMax: UInt64
  ) {
    let (plan, setup, status, arena) = (plan, plan.setup, status, arena)
    start("ingest") { wait in
      do {
        var distributor = try FeedDistributor(
          lanes: lanes, map: map, configuration: setup.configuration, midnight: setup.midnight, wait: wait, in: arena)
        let memory = Arena(capacityBytes: 64 << 20)
        var decoder = ItchDecoder(
          midnight: setup.midnight, venue: VenueID(index: 0),
          map: try InstrumentMap(listed: setup.directory.instruments.map(\.symbol), in: memory), in: memory)
        _ = Self.feed(bytes, countMax, plan, &decoder, &distributor)
      } catch { status.fail(.setUp(thread: wait.name, reason: "\(error)")) }
      return nil
    }
  }

  private static func feed(
    _ bytes: [UInt8], _ countMax: UInt64, _ plan: TopologyRun, _ decoder: inout ItchDecoder,
    _ distributor: inout FeedDistributor
  ) -> Bool {
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    var place = 0
    var statePlace = 0
    while sequence < countMax, let message = frames.next() {
      sequence += 1
      while place < plan.context.count, plan.context[place].before <= sequence {
        guard distributor.distribute(plan.context[place].event) else { return false }
        place += 1
      }
      while statePlace < plan.lineStates.count, plan.lineStates[statePlace].before <= sequence {
        guard distributor.distribute(plan.lineStates[statePlace].state) else { return false }
        statePlace += 1
      }
      guard case .event(let event) = decoder.decode(message, sequence: sequence) else { continue }
      guard distributor.distribute(event) else { return false }
    }
    return distributor.finish()
  }

  /// The desks of the run's pipelines, where a refitter beside it serves them: by shard.
  private mutating func startRefits(map: ShardMap) throws -> [Handoff<RefitDesk>] {
    guard let settings = plan.refitting else { return [] }
    let desks = try RefitDesks(plan.setup, map: map)
    refits = try desks.start(settings, plan.setup.configuration)
    return desks.desks
  }

  private mutating func startSplit(
    control: EngineControl, _ bytes: [UInt8], _ countMax: UInt64, into collector: inout DecisionCollector
  ) throws {
    var input = try ThroughputRing<TopologyInput>(capacity: plan.ringCapacity, repeating: .end, in: arena)
    var output = try ThroughputRing<KeyedOutput>(capacity: plan.ringCapacity, repeating: .nothing, in: arena)
    var link = try GatewayLink(in: arena)
    let progress = try SharedMaximum(in: arena)
    collector.add(output.takeConsumer(), totals: nil, progress: progress, name: "decide")
    let (setup, status) = (plan.setup, status)

    let ends = Handoff(link.takeEnds())
    start("execute") { wait in
      do {
        let memory = Arena(capacityBytes: setup.arenaBytes)
        var server = GatewayServer(ends.take(), gateway: try setup.makeVenues(in: memory), wait: wait)
        server.run()
      } catch { status.fail(.setUp(thread: wait.name, reason: "\(error)")) }
      return nil
    }

    let desks = try startRefits(map: ShardMap(instruments: setup.directory.count, count: 1))
    let gatewayWait = TopologyWait("decide", status: status, spinsMax: spinsMax)
    let gateway = Handoff(link.takeGateway(waiting: gatewayWait))
    let (source, target) = (Handoff(input.takeConsumer()), Handoff(output.takeProducer()))
    start("decide") { wait in
      do {
        var pipeline = try setup.makePipeline(
          gateway: gateway.take(), probe: NoProbe(),
          sink: DecisionForwarder(target.take(), progress: progress, wait: wait),
          control: control, in: Arena(capacityBytes: setup.arenaBytes))
        if let desk = desks.first { pipeline.refits = OwnedBox(desk.take()) }
        var worker = PipelineWorker(pipeline, input: source.take(), seat: nil, wait: wait)
        worker.pipeline.gateway.poll(at: .distantPast)
        let hasEnded = worker.run()
        worker.pipeline.gateway.stop()
        return hasEnded ? ShardResult(worker.pipeline) : nil
      } catch { status.fail(.setUp(thread: wait.name, reason: "\(error)")) }
      return nil
    }
    startIngest(lanes: [Handoff(input.takeProducer())], map: nil, bytes, countMax)
  }

  private mutating func startShards(
    _ count: Int, control: EngineControl, _ bytes: [UInt8], _ countMax: UInt64, into collector: inout DecisionCollector
  ) throws -> ShardedPortfolio {
    let map = try plan.shardMap ?? ShardMap(instruments: plan.setup.directory.count, count: count)
    guard map.count == count else {
      throw ConfigurationError("the shard map has \(map.count) shards, expected \(count)")
    }
    if count > 1 { try plan.setup.configuration.limits.requireShareable() }
    var portfolio = try ShardedPortfolio(plan.setup.configuration, replaying: plan.replaying, in: arena)
    var setup = plan.setup
    // Whether the feed is silent is seen by the thread that has all of it.
    setup.configuration.kill.feedSilenceSecondsMax = 0
    let (shared, status) = (setup, status)
    let desks = try startRefits(map: map)
    var lanes: [Handoff<ThroughputRing<TopologyInput>.Producer>] = []
    for shard in 0..<count {
      var input = try ThroughputRing<TopologyInput>(capacity: plan.ringCapacity, repeating: .end, in: arena)
      var output = try ThroughputRing<KeyedOutput>(capacity: plan.ringCapacity, repeating: .nothing, in: arena)
      var totals = try LatencyRing<BarrierPart>(capacity: 2, in: arena)
      let progress = try SharedMaximum(in: arena)
      collector.add(
        output.takeConsumer(), totals: totals.takeProducer(), progress: progress, name: "shard \(shard)")
      lanes.append(Handoff(input.takeProducer()))
      let seat = Handoff(portfolio.takeSeat(totals: totals.takeConsumer()))
      let (source, target) = (Handoff(input.takeConsumer()), Handoff(output.takeProducer()))
      start("shard \(shard)") { wait in
        do {
          var own = shared
          own.refits = shared.refits?.restricted(to: shard, of: map)
          var pipeline = try own.makePipeline(
            probe: NoProbe(), sink: DecisionForwarder(target.take(), progress: progress, wait: wait), control: control)
          if shard < desks.count { pipeline.refits = OwnedBox(desks[shard].take()) }
          var worker = PipelineWorker(pipeline, input: source.take(), seat: seat.take(), wait: wait)
          return worker.run() ? ShardResult(worker.pipeline) : nil
        } catch { status.fail(.setUp(thread: wait.name, reason: "\(error)")) }
        return nil
      }
    }
    startIngest(lanes: lanes, map: map, bytes, countMax)
    return portfolio
  }
}

/// What one pipeline leaves behind.
struct ShardResult: Sendable {
  var summary: ReplaySummary
  var holdings: [Quantity]
  var leak: Int64?

  init<Gateway: VenueGateway & ~Copyable>(
    _ pipeline: borrowing TradingPipeline<Ensemble, Gateway, NoProbe, DecisionForwarder>
  ) {
    summary = ReplaySummary(pipeline)
    holdings = pipeline.holdings
    leak = pipeline.shareLeak
  }
}

/// Where one thread leaves its result, and says that it has ended.
final class ThreadSlot: @unchecked Sendable {
  // Written by the thread before it ends, read by its starter after that: ordered by `ended`.
  private var kept: ShardResult?
  private let ended = Atomic<Bool>(false)

  /// The result, once the thread has ended and where it came to one.
  var result: ShardResult? { hasEnded ? kept : nil }

  /// The thread has ended.
  var hasEnded: Bool {
    // Acquire, paired with the release in `end`: the result is complete.
    ended.load(ordering: .acquiring)
  }

  /// The thread's last act.
  func end(with result: ShardResult?) {
    kept = result
    // Release, paired with the acquire in `hasEnded`.
    ended.store(true, ordering: .releasing)
  }
}
