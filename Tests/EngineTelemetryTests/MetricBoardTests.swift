// Goal: a reader sees what the writer published, whole numbers and none lost. Method: one thread writes, another reads.
import CAllocationCounter
import EngineTelemetry
import Foundation
import TestSupport
import Testing

private enum Pair: Int, MetricSlot {
  case first = 0
  case second = 1
  var name: String { self == .first ? "first_total" : "second" }
  var help: String { "The \(self)." }
  var kind: MetricKind { self == .first ? .counter : .gauge }
}

private enum Gapped: Int, MetricSlot {
  case only = 3
  var name: String { "only" }
  var help: String { "Only." }
  var kind: MetricKind { .gauge }
}

@Test func `numbers show when they are published, not before`() {
  let board = MetricBoard<Pair>()
  var writer = MetricWriter(showingOn: board)
  writer.add(to: .first)
  writer.add(41, to: .first)
  writer.set(.second, to: -7)
  let own = writer[.first]
  #expect(own == 42 && board[.first] == 0 && board[.second] == 0)
  writer.publish()
  #expect(board[.first] == 42 && board[.second] == -7)
}

@Test func `a reader on another thread sees a counter grow to its end`() {
  let board = MetricBoard<Pair>()
  let last: Int64 = 100_000
  let thread = Thread {
    var writer = MetricWriter(showingOn: board)
    for _ in 0..<last {
      writer.add(to: .first)
      writer.publish()
    }
  }
  thread.start()
  var seen: Int64 = 0
  let deadline = Date().addingTimeInterval(60)
  while seen < last, Date() < deadline {
    let now = board[.first]
    if now < seen { Issue.record("the counter fell from \(seen) to \(now)") }
    seen = now
  }
  #expect(seen == last)
}

@Test func `raw values with gaps are refused`() async {
  await #expect(processExitsWith: .failure) { _ = MetricBoard<Gapped>() }
}

@Test func `every engine metric has a name of its own that follows the convention`() {
  let names = EngineMetric.allCases.map(\.name)
  #expect(Set(names).count == names.count)
  for metric in EngineMetric.allCases {
    #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric)")
    #expect(metric.name.allSatisfy { $0.isLowercase || $0 == "_" }, "\(metric)")
    #expect(metric.help.hasSuffix("."), "\(metric)")
  }
}

@Test(.enabled(if: countsAllocations))
func `counting and publishing allocates nothing`() {
  let board = MetricBoard<EngineMetric>()
  var writer = MetricWriter(showingOn: board)
  writer.publish()
  let counts = counting {
    for _ in 0..<1000 {
      writer.add(to: .messages)
      writer.set(.openOrders, to: 3)
    }
    writer.publish()
  }
  #expect(counts.allocations == 0 && counts.retains == 0)
  #expect(board[.messages] == 1000)
}
