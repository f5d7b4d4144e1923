import Glibc
import LockFreeRings
import MarketReceive
import Synchronization
import Testing
import TradingTypes

// Goal: every datagram is handed out once, whole and in order, or counted, whichever way it came. Method: loopback sockets that the
// tests fill by plain sendto, both ways of receiving, each shortage provoked.

/// What a receiving thread tells the test.
private final class Tally: Sendable {
  let packets = Atomic<Int>(0)
  let endings = Atomic<Int>(0)
}

/// Parks at once, or never.
private struct AnyWait: WaitStrategy {
  var parks: Bool
  func step(attempt: Int) -> WaitStep { parks ? .park : .yield }
}

@Suite(.serialized) struct PacketReceiverTests {
  @Test(.enabled(if: Loopback.hasUring, "no io_uring with multishot receives in this build or system"))
  func `io_uring is the best way where it can be had`() throws {
    let receiver = try Loopback.receiver(.best)
    let grant = receiver.grant
    #expect(grant.usesUring)
    #expect(grant.backend.hasPrefix("io_uring, multishot recvmsg"))
  }

  @Test(.enabled(if: !Loopback.hasUring, "there is io_uring with multishot receives"))
  func `without io_uring the best way is recvmmsg and says why`() throws {
    let receiver = try Loopback.receiver(.best)
    let grant = receiver.grant
    #expect(!grant.usesUring)
    #expect(grant.backend.contains("io_uring with multishot recvmsg refused"))
    #expect(throws: NetworkError.self) { _ = try Loopback.receiver(.uring) }
  }

  @Test(arguments: Loopback.ways)
  func `every packet arrives once and in order, with its source and a time`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way)
    let sender = LoopbackSender(to: receiver.endpoint)
    let clock = WallClockWatch()
    let before = SystemClocks.wallNanoseconds
    var received: [Received] = []
    for round in 0..<20 {
      for number in 0..<50 {
        #expect(sender.send(Loopback.payload(round * 50 + number, byteCount: 4 + number)) == 0)
      }
      received += Loopback.collect(50, from: &receiver)
    }
    let after = SystemClocks.wallNanoseconds
    let expected = (0..<1_000).map { Loopback.payload($0, byteCount: 4 + $0 % 50) }
    #expect(received.map(\.bytes) == expected)
    #expect(received.allSatisfy { $0.source == UDPEndpoint(.loopback, port: sender.port) })
    #expect(received.allSatisfy { !$0.isTruncated && $0.wireByteCount == $0.bytes.count })
    let counters = receiver.counters
    #expect(counters.packets == 1_000)
    #expect(counters.bytes == expected.reduce(0) { $0 + UInt64($1.count) })
    #expect((20...1_000).contains(counters.batches))
    #expect(counters.truncated == 0 && counters.unstamped == 0 && counters.kernelDrops == 0)
    // Stamps are made when the kernel takes a packet: in order, and while this ran.
    try clock.requireSteady()
    let stamps = received.map(\.kernelNanoseconds)
    #expect(zip(stamps, stamps.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(stamps.allSatisfy { before <= $0 && $0 <= after })
  }

  @Test(arguments: Loopback.ways, [2, 32_768])
  func `the fewest and the most buffers work`(way: ReceiveConfiguration.Way, bufferCount: Int) throws {
    var receiver = try Loopback.receiver(way, bufferCount: bufferCount, payloadBytesMax: 64)
    let sender = LoopbackSender(to: receiver.endpoint)
    for number in 0..<100 { sender.send(Loopback.payload(number)) }
    let received = Loopback.collect(100, from: &receiver)
    #expect(received.map { Loopback.number($0.bytes) } == Array(0..<100))
  }

  @Test(arguments: Loopback.ways)
  func `a packet that is too long is cut and says so`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way, payloadBytesMax: 100)
    let sender = LoopbackSender(to: receiver.endpoint)
    for byteCount in [99, 100, 101, 1_400, 9_000] { sender.send(Loopback.payload(byteCount, byteCount: byteCount)) }
    let received = Loopback.collect(5, from: &receiver)
    #expect(received.map(\.bytes.count) == [99, 100, 100, 100, 100])
    #expect(received.map(\.wireByteCount) == [99, 100, 101, 1_400, 9_000])
    #expect(received.map(\.isTruncated) == [false, false, true, true, true])
    #expect(
      received.allSatisfy {
        $0.bytes == Array(Loopback.payload($0.wireByteCount, byteCount: 9_000).prefix($0.bytes.count))
      })
    let counters = receiver.counters
    #expect(counters.truncated == 3)
  }

  @Test(arguments: Loopback.ways)
  func `a packet without bytes is a packet, and others follow it`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way)
    let sender = LoopbackSender(to: receiver.endpoint)
    for byteCount in [0, 5, 0, 0, 6] { sender.send(Loopback.payload(1, byteCount: byteCount)) }
    let received = Loopback.collect(5, from: &receiver)
    #expect(received.map(\.bytes.count) == [0, 5, 0, 0, 6])
    let failure = receiver.failure
    #expect(failure == nil)
  }

  @Test(arguments: Loopback.ways)
  func `what the socket drops is counted`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way, bufferCount: 16, socketBytes: 8_192)
    let sender = LoopbackSender(to: receiver.endpoint)
    for number in 0..<500 { sender.send(Loopback.payload(number)) }
    var received = Loopback.collect(500, from: &receiver, patience: 300)
    receiver.refreshDrops()
    let dropped = Int(receiver.counters.kernelDrops)
    #expect(dropped > 0)
    #expect(received.count + dropped == 500)
    // The next datagram brings the count with it; it is not counted twice.
    sender.send(Loopback.payload(500))
    received += Loopback.collect(1, from: &receiver)
    let droppedAfter = Int(receiver.counters.kernelDrops)
    #expect(droppedAfter == dropped)
    let numbers = received.map { Loopback.number($0.bytes) }
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
    #expect(numbers.last == 500)
  }

  @Test(arguments: Loopback.ways)
  func `drops show with the next packet without asking`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way, bufferCount: 16, socketBytes: 8_192)
    let sender = LoopbackSender(to: receiver.endpoint)
    for number in 0..<500 { sender.send(Loopback.payload(number)) }
    let received = Loopback.collect(500, from: &receiver, patience: 300)
    sender.send(Loopback.payload(500))
    let last = Loopback.collect(1, from: &receiver)
    #expect(last.count == 1)
    let dropped = Int(receiver.counters.kernelDrops)
    #expect(dropped == 500 - received.count)
    #expect(dropped > 0)
  }

  @Test(arguments: Loopback.ways)
  func `buffers that run out are counted, and nothing is lost`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way, bufferCount: 4)
    let sender = LoopbackSender(to: receiver.endpoint)
    var received: [Received] = []
    for round in 0..<5 {
      for number in 0..<40 { sender.send(Loopback.payload(round * 40 + number)) }
      received += Loopback.collect(40, from: &receiver, upTo: round % 2 == 0 ? 64 : 1)
    }
    #expect(received.map { Loopback.number($0.bytes) } == Array(0..<200))
    let counters = receiver.counters
    #expect(counters.buffersExhausted > 0)
    #expect(counters.kernelDrops == 0)
    #expect(counters.packets == 200)
  }

  @Test(arguments: Loopback.ways)
  func `a batch holds no more than asked for`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way)
    let sender = LoopbackSender(to: receiver.endpoint)
    for number in 0..<30 { sender.send(Loopback.payload(number)) }
    var numbers: [Int] = []
    while numbers.count < 30 {
      var count = 0
      do {
        let batch = receiver.receive(waiting: SpinWait(), until: .after(milliseconds: 1_000), upTo: 7)
        count = batch.count
        for index in 0..<count { numbers.append(Loopback.number(Loopback.copy(batch[index].bytes))) }
      }
      receiver.giveBack()
      #expect((1...7).contains(count))
      if count == 0 { break }
    }
    #expect(numbers == Array(0..<30))
  }

  @Test(arguments: Loopback.ways)
  func `datagrams are kept in place until the next call`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way, bufferCount: 8)
    let sender = LoopbackSender(to: receiver.endpoint)
    for number in 0..<3 { sender.send(Loopback.payload(number)) }
    var count = 0
    var kept: [Int] = []
    do {
      let batch = receiver.receive(waiting: SpinWait(), until: .after(milliseconds: 1_000), upTo: 3)
      count = batch.count
      // More arrive than there are free buffers: none of those held may be written.
      for number in 100..<150 { sender.send(Loopback.payload(number)) }
      for index in 0..<count { kept.append(Loopback.number(Loopback.copy(batch[index].bytes))) }
    }
    #expect(count > 0)
    #expect(kept == Array(0..<count))
    let rest = Loopback.collect(53 - count, from: &receiver)
    #expect(rest.map { Loopback.number($0.bytes) } == Array(count..<3) + Array(100..<150))
  }

  @Test(arguments: Loopback.ways)
  func `a deadline ends the wait`(way: ReceiveConfiguration.Way) throws {
    var receiver = try Loopback.receiver(way)
    for round in 0..<2 {
      let start = SystemClocks.monotonicNanoseconds
      let deadline = Deadline.after(milliseconds: 20)
      let ending =
        round == 0
        ? receiver.receive(waiting: ParkWait(spinsMax: 0), until: deadline).ending
        : receiver.receive(waiting: SpinThenYieldWait(spinsMax: 3), until: deadline).ending
      #expect(ending == .deadline)
      #expect(SystemClocks.monotonicNanoseconds - start >= 20_000_000)
    }
    let sleeps = receiver.counters.sleeps
    #expect(sleeps >= 1)
    // A deadline in the past is a single look.
    let look = receiver.receive(waiting: ParkWait(), until: Deadline(monotonicNanoseconds: 0)).ending
    #expect(look == .deadline)
  }

  @Test(arguments: Loopback.ways)
  func `stopper and grant outlive their receiver`(way: ReceiveConfiguration.Way) throws {
    let receiver = try Loopback.receiver(way)
    let stopper = receiver.stopper
    let grant = receiver.grant
    let expected = Array(grant.backend.utf8)
    let handoff = Handoff(receiver)
    PinnedThread(ThreadConfiguration(name: "receive")) { _ = handoff.take() }.join()
    // Freed memory would be handed out again: these are of its sizes.
    let words = (0..<1_000).map { _ in Word() }
    let arrays = (0..<1_000).map { [UInt64](repeating: .max, count: $0 % 12) }
    #expect(!stopper.isStopped)
    stopper.stop()
    #expect(stopper.isStopped)
    #expect(Array(grant.backend.utf8) == expected)
    #expect(words.allSatisfy { $0.word == .max } && arrays.allSatisfy { $0.allSatisfy { $0 == .max } })
  }

  private final class Word {
    let word = UInt64.max
  }

  @Test(arguments: Loopback.ways, [true, false])
  func `stopping ends a receive on another thread`(way: ReceiveConfiguration.Way, parks: Bool) throws {
    let receiver = try Loopback.receiver(way)
    let stopper = receiver.stopper
    let sender = LoopbackSender(to: receiver.endpoint)
    let handoff = Handoff(receiver)
    let tally = Tally()
    let thread = PinnedThread(ThreadConfiguration(name: "receive")) {
      var receiver = handoff.take()
      var ending = ReceiveEnding.packets
      while ending == .packets {
        // No spin before the sleep, or no sleep at all.
        let batch = receiver.receive(waiting: AnyWait(parks: parks))
        tally.packets.add(batch.count, ordering: .relaxed)
        ending = batch.ending
      }
      // And every later receive ends the same way.
      let again = receiver.receive(waiting: ParkWait()).ending
      tally.endings.store(Int(ending.rawValue) * 16 + Int(again.rawValue), ordering: .relaxed)
    }
    sender.send(Loopback.payload(1))
    let patience = Deadline.after(milliseconds: 5_000)
    while tally.packets.load(ordering: .relaxed) == 0, !patience.hasPassed { yieldThread() }
    // Long enough to be asleep in most runs; right in all.
    if parks { usleep(20_000) }
    stopper.stop()
    thread.join()
    #expect(tally.packets.load(ordering: .relaxed) == 1)
    #expect(tally.endings.load(ordering: .relaxed) == Int(ReceiveEnding.stopped.rawValue) * 17)
    #expect(stopper.isStopped)
  }

  @Test(arguments: Loopback.ways)
  func `a stream from another thread is received in order or counted as dropped`(way: ReceiveConfiguration.Way) throws {
    // Small enough for shortages of both kinds.
    var receiver = try Loopback.receiver(way, bufferCount: 8, socketBytes: 65_536)
    let configuration = ReplayConfiguration(receiver.endpoint, pace: .packetsPerSecond(40_000))
    let sending = Handoff(try PacketReplayer(configuration, in: Arena(capacityBytes: configuration.arenaBytes)))
    let tally = Tally()
    // Made beforehand: under a sanitizer that takes longer than the receiver waits for the first of them.
    let packets = (0..<8_000).map { (time: Timestamp.distantPast, payload: Loopback.payload($0)) }
    let thread = PinnedThread(ThreadConfiguration(name: "send")) {
      var replayer = sending.take()
      let counters = replayer.replay(packets)
      tally.packets.store(Int(counters.sent), ordering: .relaxed)
    }
    let received = Loopback.collect(8_000, from: &receiver, patience: 500)
    thread.join()
    receiver.refreshDrops()
    let dropped = Int(receiver.counters.kernelDrops)
    #expect(tally.packets.load(ordering: .relaxed) == 8_000)
    #expect(received.count + dropped == 8_000)
    let numbers = received.map { Loopback.number($0.bytes) }
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
    #expect(received.allSatisfy { $0.bytes == Loopback.payload(Loopback.number($0.bytes)) })
  }

  @Test func `a second receiving thread is a misuse`() async {
    await #expect(processExitsWith: .failure) {
      var receiver = try Loopback.receiver(.best)
      _ = receiver.receive(waiting: SpinWait(), until: Deadline(monotonicNanoseconds: 0)).count
      let handoff = Handoff(receiver)
      PinnedThread(ThreadConfiguration(name: "second")) {
        var receiver = handoff.take()
        _ = receiver.receive(waiting: SpinWait(), until: Deadline(monotonicNanoseconds: 0)).count
      }.join()
    }
  }
}
