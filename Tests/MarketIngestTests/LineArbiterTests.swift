import CAllocationCounter
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import MarketIngest

/// An arbiter with what it gave, for tests that feed it packet by packet.
struct LineBench: ~Copyable {
  var arbiter: LineArbiter
  var delivered: [(sequence: UInt64, body: [UInt8])] = []
  var actions: [LineAction] = []
  var newSessions = 0

  init(_ configuration: LineConfiguration, start: LineStart = .at(1)) {
    arbiter = LineArbiter(configuration, start: start, in: Arena(capacityBytes: configuration.arenaBytes))
  }

  init(start: LineStart = .at(1)) throws {
    self.init(try LineConfiguration(windowMessages: 64), start: start)
  }

  static func list(_ body: ByteView) -> [UInt8] { (0..<body.count).map { body.byte(at: $0) } }

  mutating func receive(_ bytes: [UInt8], line: Int = 0, at now: Int64 = 0) {
    if var packet = arbiter.packet(in: ByteView(bytes.span), line: line) {
      let answer = arbiter.open(packet.header, line: line, at: Timestamp(nanoseconds: now))
      if answer == .newSession { newSessions += 1 }
      var sequence = packet.nextSequence
      while answer != .refused, let body = packet.next() {
        if arbiter.accept(body, sequence: sequence, line: line) == .deliver {
          delivered.append((sequence, Self.list(body)))
        }
        sequence = packet.nextSequence
      }
    }
    drain(at: now)
  }

  mutating func drain(at now: Int64) {
    while let sequence = arbiter.nextHeld() { delivered.append((sequence, Self.list(arbiter.heldMessage))) }
    while let action = arbiter.nextAction(at: Timestamp(nanoseconds: now)) { actions.append(action) }
    while let sequence = arbiter.nextHeld() { delivered.append((sequence, Self.list(arbiter.heldMessage))) }
  }

  /// A packet of messages `first` up to `last`, each with its number as its only byte.
  mutating func messages(
    _ first: UInt64, _ last: UInt64, session: MoldSession = LineSimulation.session, line: Int = 0, at now: Int64 = 0
  ) {
    let bodies = first <= last ? (first...last).map { [UInt8(truncatingIfNeeded: $0)] } : []
    receive(moldPacket(session: session, first: first, bodies), line: line, at: now)
  }

  mutating func end(_ next: UInt64, at now: Int64 = 0) {
    receive(moldPacket(session: LineSimulation.session, first: next, [], count: 0xFFFF), at: now)
  }

  /// Lets time pass from deadline to deadline.
  mutating func wait(until end: Int64) {
    while let next = arbiter.nextDeadline, next.nanoseconds <= end { drain(at: next.nanoseconds) }
    drain(at: end)
  }

  var sequences: [UInt64] { delivered.map(\.sequence) }
}

// Goal: each row of the protocol input table is handled and counted. Method: one small case a row, by hand; random orders against the
// sorted input.
@Suite struct LineArbiterTests {
  static let millisecond: Int64 = 1_000_000
  static func request(_ first: UInt64, _ count: UInt16) -> LineAction {
    .request(MoldHeader(session: LineSimulation.session, firstSequence: first, count: count))
  }

  @Test func `a copy from the other line is dropped and counted there`() throws {
    var bench = try LineBench()
    bench.messages(1, 3, line: 0)
    bench.messages(1, 3, line: 1)
    bench.messages(4, 5, line: 1)
    bench.messages(3, 6, line: 0)
    expect(bench.sequences == [1, 2, 3, 4, 5, 6] && bench.actions.isEmpty)
    let (a, b) = (bench.arbiter.counters(line: 0), bench.arbiter.counters(line: 1))
    #expect(a.delivered == 4 && a.duplicates == 3 && a.packets == 2)
    #expect(b.delivered == 2 && b.duplicates == 3 && b.messages == 5)
  }

  @Test func `a gap is asked for three times with growing pauses and then lost`() throws {
    var bench = try LineBench()
    bench.messages(1, 2)
    bench.messages(6, 7)
    expect(bench.sequences == [1, 2] && bench.arbiter.heldCount == 2)
    expect(bench.actions == [.stateChanged(.recovering)])
    var times: [Int64] = []
    while let deadline = bench.arbiter.nextDeadline?.nanoseconds {
      times.append(deadline / Self.millisecond)
      bench.drain(at: deadline)
    }
    #expect(times == [1, 21, 61, 141])
    expect(
      bench.actions == [
        .stateChanged(.recovering), Self.request(3, 3), Self.request(3, 3), Self.request(3, 3),
        .lost(first: 3, count: 3), .stateChanged(.stale),
      ])
    // A late copy repairs what was lost.
    bench.messages(3, 5, at: 200 * Self.millisecond)
    expect(bench.sequences == [1, 2, 3, 4, 5, 6, 7] && bench.actions.last == .stateChanged(.valid))
  }

  @Test func `a new gap behind a gap is asked for by itself and nothing twice`() throws {
    var bench = try LineBench()
    bench.messages(3, 4)
    bench.wait(until: 2 * Self.millisecond)
    bench.messages(8, 8, at: 3 * Self.millisecond)
    bench.wait(until: 10 * Self.millisecond)
    let requests = bench.actions.filter { if case .request = $0 { true } else { false } }
    #expect(requests == [Self.request(1, 2), Self.request(5, 3)])
    bench.messages(5, 7, line: 2, at: 11 * Self.millisecond)
    bench.messages(1, 2, line: 2, at: 12 * Self.millisecond)
    expect(bench.sequences == Array(1...8) && bench.arbiter.state == .valid)
    expect(bench.arbiter.requestCount == 2)
  }

  @Test func `a heartbeat with a higher next number tells of a gap`() throws {
    var bench = try LineBench()
    bench.messages(1, 1)
    bench.messages(2, 1)  // a heartbeat: nothing is missing
    expect(bench.arbiter.state == .valid)
    bench.messages(5, 4)
    expect(bench.arbiter.state == .recovering && bench.arbiter.counters(line: 0).heartbeats == 2)
    bench.wait(until: Self.millisecond)
    expect(bench.actions.contains(Self.request(2, 3)))
  }

  @Test func `a request asks for 65535 messages at most and goes on when they are there`() throws {
    var bench = LineBench(try LineConfiguration(windowMessages: 1 << 17))
    bench.messages(100_001, 100_000)
    bench.wait(until: Self.millisecond)
    expect(bench.actions.contains(Self.request(1, 65_535)))
    for first in stride(from: 1, through: 65_535, by: 65) as StrideThrough<Int> {
      bench.messages(UInt64(first), UInt64(min(first + 64, 65_535)), at: 2 * Self.millisecond)
    }
    bench.wait(until: 2 * Self.millisecond)
    expect(bench.actions.contains(Self.request(65_536, 34_465)))
  }

  @Test func `a server that answers with one packet is asked again as soon as it has answered`() throws {
    var bench = LineBench(try LineConfiguration(windowMessages: 4_096))
    bench.messages(3_001, 3_001)
    var now: Int64 = 0
    var answered = 0
    // 30 messages of each request, 0.2 ms later.
    while bench.arbiter.state != .valid, let deadline = bench.arbiter.nextDeadline?.nanoseconds {
      now = max(now, deadline)
      bench.drain(at: now)
      for case .request(let request) in bench.actions.dropFirst(answered) {
        let count = min(30, UInt64(request.count))
        now += Self.millisecond / 5
        bench.messages(request.firstSequence, request.firstSequence + count - 1, line: 2, at: now)
        expect(answered == 0 || request.count <= 60)
      }
      answered = bench.actions.count
    }
    expect(bench.sequences == Array(1...3_001) && bench.arbiter.requestCount == 100)
    expect(now < 130 * Self.millisecond, "\(now)")
  }

  @Test func `the end of a session fetches what is missing first`() throws {
    var bench = try LineBench()
    bench.messages(1, 2)
    bench.end(5)
    bench.wait(until: Self.millisecond)
    expect(bench.actions.contains(Self.request(3, 2)) && !bench.actions.contains(.sessionEnded))
    bench.messages(3, 4, line: 2, at: 2 * Self.millisecond)
    bench.end(5, at: 2 * Self.millisecond)
    expect(bench.actions.filter { $0 == .sessionEnded }.count == 1 && bench.sequences == [1, 2, 3, 4])
    bench.messages(5, 6, at: 3 * Self.millisecond)
    expect(bench.arbiter.counters(line: 0).implausible == 1 && bench.sequences.count == 4)
    expect(bench.arbiter.counters(line: 0).endsOfSession == 2)
  }

  @Test func `a new session starts at 1 and is stale until it is rebuilt`() throws {
    let other = MoldSession(high: 9, low: 9)
    var bench = try LineBench()
    bench.messages(1, 3)
    bench.messages(7, 7)
    bench.messages(3, 4, session: other, at: 10)
    expect(bench.newSessions == 1 && bench.arbiter.state == .stale && bench.arbiter.nextSequence == 1)
    bench.messages(8, 9, line: 1, at: 20)  // the old session on the slower line
    expect(bench.arbiter.counters(line: 1).oldSession == 1)
    bench.messages(1, 2, session: other, at: 30)
    expect(bench.sequences == [1, 2, 3, 1, 2, 3, 4] && bench.arbiter.state == .valid)
    expect(bench.arbiter.sessionChangeCount == 1 && bench.arbiter.session == other && bench.arbiter.heldCount == 0)
  }

  @Test func `one stray packet of another session does not silence the feed`() throws {
    let stray = MoldSession(high: 9, low: 9)
    var bench = try LineBench()
    bench.messages(1, 3)
    bench.messages(1, 1, session: stray)
    for number in 4...1_000 as ClosedRange<UInt64> { bench.messages(number, number) }
    expect(bench.newSessions == 2 && bench.arbiter.session == LineSimulation.session && bench.arbiter.state == .stale)
    expect(bench.arbiter.counters(line: 0).oldSession == 256)
    expect(bench.arbiter.beginSnapshot(sequence: 1_000) == .started)
    bench.arbiter.endSnapshot()
    bench.messages(1_001, 1_002)
    expect(bench.arbiter.state == .valid && bench.sequences.suffix(2) == [1_001, 1_002])
  }

  @Test func `behind a snapshot the held messages go on`() throws {
    var bench = try LineBench()
    bench.messages(1, 2)
    bench.messages(5, 9)
    bench.wait(until: 1_000 * Self.millisecond)
    expect(bench.arbiter.state == .stale)
    expect(bench.arbiter.beginSnapshot(sequence: 1) == .older)
    expect(bench.arbiter.beginSnapshot(sequence: 6) == .started)
    bench.messages(10, 10, at: 1_001 * Self.millisecond)
    expect(bench.sequences == [1, 2])
    // A second one replaces the first, an older one does not.
    expect(bench.arbiter.beginSnapshot(sequence: 5) == .older)
    expect(bench.arbiter.beginSnapshot(sequence: 7) == .started)
    bench.arbiter.endSnapshot()
    bench.drain(at: 1_002 * Self.millisecond)
    expect(bench.sequences == [1, 2, 8, 9, 10] && bench.arbiter.state == .valid)
    expect(bench.arbiter.beginSnapshot(sequence: 7) == .older && bench.arbiter.refusedSnapshotCount == 3)
    expect(bench.arbiter.beginSnapshot(sequence: 10) == .started)
    bench.arbiter.endSnapshot()
    expect(bench.arbiter.nextSequence == 11 && bench.arbiter.checkInvariants() == nil)
  }

  @Test func `a line joined anywhere is stale until a snapshot`() throws {
    var bench = try LineBench(start: .anywhere)
    bench.messages(500, 501)
    expect(bench.sequences == [500, 501] && bench.arbiter.state == .stale)
    expect(bench.arbiter.beginSnapshot(sequence: 498) == .older)
    expect(bench.arbiter.beginSnapshot(sequence: 503) == .started)
    bench.messages(502, 506)
    bench.arbiter.endSnapshot()
    bench.drain(at: 1)
    expect(bench.sequences == [500, 501, 504, 505, 506] && bench.arbiter.state == .valid)
  }

  @Test(arguments: [LineStart.anywhere, .atSnapshot])
  func `a line that begins stale tells so at once`(start: LineStart) throws {
    var bench = try LineBench(start: start)
    bench.drain(at: 0)
    expect(bench.actions == [.stateChanged(.stale)])
    bench.messages(500, 501)
    expect(bench.arbiter.beginSnapshot(sequence: 501) == .started)
    bench.arbiter.endSnapshot()
    bench.drain(at: 1)
    expect(bench.actions == [.stateChanged(.stale), .stateChanged(.valid)])
  }

  @Test func `a line joined at a snapshot holds what comes before it`() throws {
    var bench = try LineBench(start: .atSnapshot)
    bench.messages(500, 510)
    bench.messages(511, 520)
    expect(bench.sequences.isEmpty && bench.arbiter.state == .stale && bench.arbiter.requestCount == 0)
    // A snapshot is always of messages that went by.
    expect(bench.arbiter.beginSnapshot(sequence: 498) == .unreachable)
    expect(bench.arbiter.beginSnapshot(sequence: 508) == .started)
    bench.arbiter.endSnapshot()
    bench.drain(at: 1)
    expect(bench.sequences == Array(509...520) && bench.arbiter.state == .valid)
    expect(bench.arbiter.checkInvariants() == nil)
    // A session that is seen from its first message on needs none.
    var whole = try LineBench(start: .atSnapshot)
    whole.messages(1, 3)
    expect(whole.sequences == [1, 2, 3] && whole.arbiter.state == .valid)
    // A feed that runs on for longer than the window keeps the newest.
    var busy = try LineBench(start: .atSnapshot)
    for number in 500...700 as ClosedRange<UInt64> { busy.messages(number, number) }
    expect(busy.arbiter.heldCount == 64 && busy.arbiter.beginSnapshot(sequence: 650) == .started)
    busy.arbiter.endSnapshot()
    busy.drain(at: 1)
    expect(busy.sequences == Array(651...700) && busy.arbiter.state == .valid)
  }

  @Test func `a full window refuses and a stale line keeps the newest`() throws {
    var bench = try LineBench()
    bench.messages(2, 64)
    bench.messages(65, 70)
    expect(bench.arbiter.counters(line: 0).refused == 6 && bench.arbiter.heldCount == 63)
    expect(bench.arbiter.checkInvariants() == nil)
    bench.wait(until: 1_000 * Self.millisecond)
    bench.messages(65, 100, at: 1_001 * Self.millisecond)
    expect(bench.arbiter.heldCount == 64 && bench.arbiter.agedCount == 35 && bench.arbiter.checkInvariants() == nil)
    expect(bench.arbiter.beginSnapshot(sequence: 20) == .unreachable)
    expect(bench.arbiter.beginSnapshot(sequence: 36) == .started)
    bench.arbiter.endSnapshot()
    bench.drain(at: 1_002 * Self.millisecond)
    expect(bench.sequences == Array(37...100) && bench.arbiter.state == .valid)
  }

  @Test func `a jump over the whole window is a gap like any other`() throws {
    var bench = try LineBench()
    bench.messages(1, 2)
    bench.messages(100, 101)
    expect(bench.arbiter.counters(line: 0).refused == 2 && bench.arbiter.state == .recovering)
    bench.wait(until: Self.millisecond)
    expect(bench.actions.last == Self.request(3, 64) && bench.arbiter.checkInvariants() == nil)
    bench.messages(3, 66, line: 2, at: 2 * Self.millisecond)
    expect(bench.actions.last == Self.request(67, 35))
    bench.messages(67, 101, line: 2, at: 3 * Self.millisecond)
    expect(bench.sequences == Array(1...101) && bench.arbiter.state == .valid)
  }

  @Test func `what a full window refused is asked for when there is room`() throws {
    var bench = try LineBench()
    bench.messages(2, 70)
    bench.wait(until: Self.millisecond)
    expect(bench.arbiter.requestCount == 1)
    bench.messages(1, 1, line: 2, at: 2 * Self.millisecond)
    expect(bench.sequences == Array(1...64) && bench.arbiter.state == .recovering)
    bench.wait(until: 2 * Self.millisecond)
    expect(bench.actions.last == Self.request(65, 6))
  }

  @Test func `a session ends although what is missing behind a lost range is out of reach`() throws {
    var bench = try LineBench()
    bench.messages(2, 64)
    bench.end(200)
    bench.wait(until: 1_000 * Self.millisecond)
    expect(bench.actions.filter { $0 == .sessionEnded }.count == 1 && bench.arbiter.state == .stale)
    expect(bench.arbiter.nextDeadline == nil && bench.arbiter.requestCount == 3)
  }

  @Test func `going on behind a wrong heartbeat is no walk through all its numbers`() throws {
    var bench = try LineBench()
    bench.messages(1, 1)
    bench.messages(1 << 32, 1 << 32 - 1)
    bench.wait(until: 1_000 * Self.millisecond)
    bench.arbiter.skipLost()
    expect(bench.arbiter.nextSequence == 1 << 32 && bench.arbiter.checkInvariants() == nil)
  }

  @Test func `a host without snapshots may go on behind what is lost`() throws {
    var bench = try LineBench()
    bench.messages(1, 1)
    bench.messages(4, 5)
    bench.wait(until: 1_000 * Self.millisecond)
    bench.arbiter.skipLost()
    bench.drain(at: 1_000 * Self.millisecond)
    bench.messages(6, 6, at: 1_001 * Self.millisecond)
    expect(bench.sequences == [1, 4, 5, 6] && bench.arbiter.state == .stale)
    expect(bench.arbiter.checkInvariants() == nil)
  }

  @Test func `bad frames, absurd numbers and times that go back are counted`() throws {
    var bench = try LineBench()
    bench.receive([1, 2, 3])
    bench.receive(moldPacket(session: LineSimulation.session, first: 1, [[1]]) + [0])
    bench.messages(1 << 40, 1 << 40)
    bench.messages(1, 1, at: 5)
    bench.messages(2, 2, at: 4)
    let counters = bench.arbiter.counters(line: 0)
    #expect(counters.badFrames == 2 && counters.implausible == 1 && counters.packets == 5 && counters.delivered == 2)
    expect(bench.arbiter.timeBackwardCount > 0 && bench.arbiter.state == .valid)
    var time = MonotoneTime()
    let clamped = [3, 7, 5, 8].map { time.clamp(Timestamp(nanoseconds: $0)).nanoseconds }
    #expect(clamped == [3, 7, 7, 8] && time.backwardCount == 1)
  }

  // Bodies of 0 to 300 bytes, so that some take several blocks; a window so small that messages are refused and asked for again.
  @Test(arguments: Seeds.brief) func `any order gives the sorted input`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for round in 0..<12 {
      let count = 200
      let bodies = (0..<count).map { _ in
        (0..<random.below(random.below(4) == 0 ? 300 : 50)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      }
      let width = [2, 16, 60, 199][round % 4]
      // Each message is moved by less than `width` places; some come twice.
      var order = (0..<count).map { (key: $0 + random.below(width), number: $0) }
      order += order.filter { _ in random.below(10) == 0 }.map {
        (key: $0.key + random.below(width), number: $0.number)
      }
      order.sort { ($0.key, $0.number) < ($1.key, $1.number) }
      var bench = LineBench(
        try LineConfiguration(windowMessages: 64, windowBytes: round < 6 ? 8_192 : 1_024, gapCountMax: 1 + round))
      func packet(_ number: Int) -> [UInt8] {
        moldPacket(session: LineSimulation.session, first: UInt64(number + 1), [bodies[number]])
      }
      for (place, element) in order.enumerated() {
        bench.receive(packet(element.number), line: random.below(2), at: Int64(place) * 1_000)
        expect(bench.arbiter.checkInvariants() == nil, "seed \(seed), round \(round), \(place)")
      }
      bench.receive(moldPacket(session: LineSimulation.session, first: UInt64(count + 1), []), at: Self.millisecond)
      var answered = 0
      while bench.arbiter.nextSequence <= UInt64(count), let deadline = bench.arbiter.nextDeadline {
        bench.drain(at: deadline.nanoseconds)
        while answered < bench.actions.count {
          if case .request(let request) = bench.actions[answered] {
            for number in 0..<UInt64(request.count) {
              bench.receive(packet(Int(request.firstSequence + number) - 1), line: 2, at: deadline.nanoseconds)
            }
          }
          answered += 1
        }
      }
      expect(bench.sequences == (1...UInt64(count)).map { $0 }, "seed \(seed), round \(round)")
      expect(bench.delivered.map(\.body) == bodies, "seed \(seed), round \(round)")
      expect(bench.arbiter.state == .valid && bench.arbiter.heldCount == 0, "seed \(seed), round \(round)")
    }
  }

  @Test func `no header traps`() throws {
    for seed in 1...200 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      var bench = try LineBench(start: [.at(1), .anywhere, .atSnapshot][Int(seed % 3)])
      for step in 0..<60 as Range<Int64> {
        let wild =
          random.below(8) == 0 ? UInt64.max - random.next() % 100_000 : random.next() >> UInt64(random.below(64))
        let first = random.below(3) == 0 ? wild : UInt64(random.below(200))
        let session =
          random.below(30) == 0 ? MoldSession(high: UInt64(random.below(3)), low: 0) : LineSimulation.session
        let count: UInt16? = random.below(12) == 0 ? 0xFFFF : nil
        let bodies = count == nil ? [[UInt8]](repeating: [7], count: random.below(9)) : []
        bench.receive(
          moldPacket(session: session, first: first, bodies, count: count), line: random.below(9),
          at: step * Int64(random.below(40)) * Self.millisecond)
        switch random.below(12) {
        case 0: _ = bench.arbiter.beginSnapshot(sequence: random.next() >> UInt64(random.below(64)))
        case 1: _ = bench.arbiter.beginSnapshot(sequence: bench.arbiter.nextSequence &+ UInt64(random.below(80)))
        case 2: bench.arbiter.endSnapshot()
        case 3: bench.arbiter.skipLost()
        default: break
        }
        let fault = bench.arbiter.checkInvariants()
        expect(fault == nil, "seed \(seed), step \(step): \(fault ?? "")")
        if fault != nil { return }
      }
    }
  }

  @Test(.enabled(if: countsAllocations)) func `arbitration allocates nothing`() throws {
    var bench = LineBench(try LineConfiguration(windowMessages: 1_024))
    let packets = (0..<400).map { number in
      moldPacket(session: LineSimulation.session, first: UInt64(number ^ 3) * 2 + 1, [[1, 2, 3], [4]])
    }
    var sum: UInt64 = 0
    func work(_ bench: inout LineBench, _ range: Range<Int>) {
      for number in range {
        let now = Timestamp(nanoseconds: Int64(number) * 100_000)
        let datagram = packets[number]
        if var packet = bench.arbiter.packet(in: ByteView(datagram.span), line: number & 1),
          bench.arbiter.open(packet.header, line: number & 1, at: now) != .refused
        {
          var sequence = packet.nextSequence
          while let body = packet.next() {
            if bench.arbiter.accept(body, sequence: sequence, line: number & 1) == .deliver { sum += 1 }
            sequence = packet.nextSequence
          }
        }
        while bench.arbiter.nextHeld() != nil { sum += UInt64(min(bench.arbiter.heldMessage.count, 1)) }
        while bench.arbiter.nextAction(at: now) != nil {}
      }
    }
    work(&bench, 0..<200)
    let counts = counting { work(&bench, 200..<400) }
    #expect(counts.allocations == 0 && sum == 800)
  }
}
