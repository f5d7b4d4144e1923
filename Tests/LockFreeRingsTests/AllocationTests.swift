import CAllocationCounter
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

// Goal: after set-up nothing here allocates, retains or releases. Method: warm each path up, then count over ten thousand operations.
@Suite struct AllocationTests {
  @Test(.enabled(if: countsAllocations, "counts mean something in release builds without sanitizers"))
  func `rings, pools, batches and cells allocate nothing`() throws {
    let arena = Arena(capacityBytes: 4 << 20)
    var latency = try LatencyRing<Sample>(capacity: 64, allowsParking: true, in: arena)
    var latencyProducer = latency.takeProducer()
    var latencyConsumer = latency.takeConsumer()
    var throughput = try ThroughputRing<Sample>(capacity: 64, repeating: Sample(0), in: arena)
    var throughputProducer = throughput.takeProducer()
    var throughputConsumer = throughput.takeConsumer()
    var pool = FixedPool<Sample>(repeating: Sample(0), capacity: 8, in: arena)
    var batch = FixedBatch<Sample>(capacity: 16, in: arena)
    var cell = try SnapshotCell(Sample(0), in: arena)
    var reader = try cell.reader()
    var sum: UInt64 = 0
    func round(_ number: UInt64) {
      _ = latencyProducer.tryPush(Sample(number))
      _ = latencyProducer.push(Sample(number), waiting: SpinWait())
      sum &+= latencyConsumer.tryPop()?.number ?? 0
      sum &+= latencyConsumer.pop(waiting: ParkWait())?.number ?? 0
      sum &+= latencyConsumer.tryPop()?.number ?? 0
      _ = throughputProducer.tryPush(Sample(number))
      do {
        var slots = throughputProducer.claim(upTo: 4)
        for index in 0..<slots.count { slots[index] = Sample(number) }
      }
      throughputProducer.publish(1)
      var count = 0
      do {
        let view = throughputConsumer.available(upTo: 8)
        for index in view.indices { sum &+= view[index].number }
        count = view.count
      }
      throughputConsumer.release(count)
      batch.removeAll()
      _ = throughputConsumer.popAvailable(into: &batch)
      _ = throughputProducer.pushPrefix(of: batch.span)
      batch.append(Sample(number))
      if let handle = pool.take(Sample(number)) {
        sum &+= pool[handle].number
        pool.giveBack(handle)
      }
      cell.publish(Sample(number))
      sum &+= reader.read().number
    }
    for number in 0..<100 as Range<UInt64> { round(number) }
    let counts = counting {
      for number in 0..<10_000 as Range<UInt64> { round(number) }
    }
    #expect(counts.allocations == 0)
    #expect(counts.retains == 0)
    #expect(sum > 0)
  }
}
