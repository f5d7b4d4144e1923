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

  @Test(.enabled(if: countsAllocations, "counts mean something in release builds without sanitizers"))
  func `many producers, the bus and counted policies allocate nothing`() throws {
    let arena = Arena(capacityBytes: 4 << 20)
    var many = try ManyProducerRing<Sample>(capacity: 64, producersMax: 2, allowsParking: true, in: arena)
    var first = CountedProducer(many.takeProducer(), policy: RejectWhenFull())
    var second = CountedProducer(
      many.takeProducer(), policy: WaitWhenFull(SpinThenYieldWait(spinsMax: 4), timeoutNanoseconds: 1_000))
    var manyConsumer = many.takeConsumer()
    let bus = try BroadcastRing<Sample>(capacity: 64, repeating: Sample(0), history: 8, allowsParking: true, in: arena)
    var producer = bus.takeProducer()
    var consumer = try bus.join("consumer")
    var follower = try bus.join("follower", after: [consumer.seat])
    var sum: UInt64 = 0
    func round(_ number: UInt64) {
      _ = first.push(Sample(number))
      _ = second.push(Sample(number))
      while let sample = manyConsumer.tryPop() { sum &+= sample.number }
      var claimed = 0
      do {
        // At the end of the ring's memory it is less than was asked for.
        var slots = producer.claim(upTo: 4)
        claimed = slots.count
        for index in 0..<claimed { slots[index] = Sample(number) }
      }
      producer.publish(claimed)
      _ = producer.push(Sample(number), waiting: ParkWait(), until: .after(nanoseconds: 1_000))
      var count = 0
      do {
        let view = consumer.available()
        for index in view.indices { sum &+= view[index].number }
        count = view.count
      }
      consumer.release(count)
      while let sample = follower.tryPop() { sum &+= sample.number }
    }
    for number in 0..<96 as Range<UInt64> { round(number) }
    let counts = counting {
      for number in 0..<9_600 as Range<UInt64> { round(number) }
    }
    #expect(counts.allocations == 0)
    #expect(counts.retains == 0)
    #expect(sum > 0)
  }
}
