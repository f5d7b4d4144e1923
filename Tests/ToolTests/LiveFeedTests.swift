import FixtureStreams
import Foundation
import LockFreeRings
import MarketIngest
import MarketReceive
import TestSupport
import Testing
import TradingTypes

// Goal: the example receives two lossy lines over loopback, asks for what neither brought, and trades. Method: it runs as a child process; this
// test sends a generated day twice, once over two lines that both lose packets, once without loss, and serves the requests.
@Suite(.serialized) struct LiveFeedTests {
  static let session = MoldSession("LIVE000001") ?? MoldSession(high: 0, low: 0)
  static let fixture = ItchFixture(.init(seed: 5, messages: 6_000, symbols: 3))

  static func packet(_ bodies: ArraySlice<[UInt8]>, first: Int, count: UInt16? = nil) -> [UInt8] {
    let header = MoldHeader(
      session: session, firstSequence: UInt64(first + 1), count: count ?? UInt16(bodies.count)
    ).bytes
    return (0..<20).map { header[$0] } + bodies.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
  }

  static func receiver() throws -> PacketReceiver {
    let configuration = ReceiveConfiguration(UDPEndpoint(.loopback, port: 0), way: .recvmmsg)
    return try PacketReceiver(configuration, in: Arena(capacityBytes: configuration.arenaBytes))
  }

  /// Runs the example on a day of which packets are lost on both lines, where `loses`; its last line and what was served.
  static func run(loses: Bool) throws -> (last: String, requests: Int, error: String) {
    let stream = fixture.generate()
    var frames = ItchFrames(stream.span)
    var bodies: [[UInt8]] = []
    while let body = frames.next() { bodies.append((0..<body.count).map { body.byte(at: $0) }) }

    var server = try receiver()
    let folder = try Folder()
    let (output, error) = (folder.file("stdout"), folder.file("stderr"))
    for file in [output, error] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = Tool.url?.deletingLastPathComponent().appendingPathComponent("live")
    process.arguments = ["127.0.0.1:0", "127.0.0.1:0", "\(server.endpoint)"] + fixture.symbols.map(\.description)
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: error)
    try process.run()
    // Not asked but ended: a child may ignore the signals that its parent ignores.
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    let lines = try endpoints(in: output)

    var requests = 0
    func serve() throws {
      var wanted: [(header: MoldHeader, source: UDPEndpoint)] = []
      do {
        let batch = server.receive(waiting: ParkWait(), until: .after(nanoseconds: 50_000))
        for index in 0..<batch.count {
          guard let header = MoldHeader(ByteView(batch[index].bytes)), header.session == session else { continue }
          wanted.append((header, batch[index].source))
        }
      }
      for request in wanted {
        requests += 1
        var first = Int(request.header.firstSequence) - 1
        let end = min(first + Int(request.header.count), bodies.count)
        while first < end {
          let next = min(first + 20, end)
          let answer = packet(bodies[first..<next], first: first)
          try server.send(answer.span.rawBytes, to: request.source)
          first = next
        }
      }
    }
    var random = SplitMix64(seed: 9)
    var place = 0
    while place < bodies.count {
      let end = min(place + 1 + random.below(4), bodies.count)
      let bytes = packet(bodies[place..<end], first: place)
      let isLost = loses && random.below(20) == 0
      for line in lines where !isLost { try server.send(bytes.span.rawBytes, to: line) }
      place = end
      try serve()
    }
    let start = Date()
    while process.isRunning, Date().timeIntervalSince(start) < 30 {
      for line in lines {
        try server.send(
          packet([], first: bodies.count, count: MoldHeader.endOfSession).span.rawBytes, to: line)
      }
      for _ in 0..<100 { try serve() }
    }
    let text = try String(contentsOf: output, encoding: .utf8)
    return (
      text.split(separator: "\n").last.map(String.init) ?? "", requests,
      try String(contentsOf: error, encoding: .utf8)
    )
  }

  /// Where the example says that it listens.
  static func endpoints(in file: URL) throws -> [UDPEndpoint] {
    let start = Date()
    while Date().timeIntervalSince(start) < 30 {
      let words = try String(contentsOf: file, encoding: .utf8).split(whereSeparator: { " :\n".contains($0) })
      if words.count > 7 {
        return [words[3], words[6]].compactMap { UInt16($0).map { UDPEndpoint(.loopback, port: $0) } }
      }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return []
  }

  @Test func `lossy lines are repaired, and every message reaches the engine`() throws {
    let whole = try Self.run(loses: false)
    let lossy = try Self.run(loses: true)
    let words = whole.last.split(separator: " ")
    #expect(!whole.last.contains(" 0 orders"), "\(whole)")
    #expect(words.first == "6000" && whole.error.isEmpty && lossy.error.isEmpty, "\(whole) \(lossy)")
    #expect(lossy.last.hasPrefix("6000 messages") && lossy.requests > 20, "\(lossy)")
  }
}
