import LockFreeRings

/// One loop for each operation of a ring, compiled as a host's own code would be. `./check` looks at their machine code: a loop that calls
/// anything but what `Tests/hot-loops` lists was not inlined or specialised.
enum HotLoops {
  static let count = 2_000_000

  /// Runs each loop, so that the linker keeps them and their work is real; gives what went wrong.
  static func run() throws -> [String] {
    let arena = Arena(capacityBytes: 16 << 20)
    let expected = UInt64(count) * UInt64(count - 1) / 2
    var failures: [String] = []
    func judge(_ name: String, _ sum: UInt64) {
      if sum != expected { failures.append("\(name): the sum is \(sum), not \(expected)") }
    }
    do {
      var ring = try LatencyRing<UInt64>(capacity: 1024, in: arena)
      var producer = ring.takeProducer()
      var consumer = ring.takeConsumer()
      judge("latency ring", hotLoopLatencyRing(&producer, &consumer, count))
    }
    do {
      var ring = try ThroughputRing<UInt64>(capacity: 1024, repeating: 0, in: arena)
      var producer = ring.takeProducer()
      var consumer = ring.takeConsumer()
      judge("throughput ring, one by one", hotLoopThroughputRing(&producer, &consumer, count))
      judge("throughput ring, batches in place", hotLoopThroughputBatch(&producer, &consumer, count))
    }
    do {
      let cell = try SnapshotCell<UInt64>(0, in: arena)
      var reader = try cell.reader()
      judge("snapshot cell", hotLoopSnapshot(&reader, count))
    }
    do {
      var ring = try ManyProducerRing<UInt64>(capacity: 1024, producersMax: 2, in: arena)
      var producer = ring.takeProducer()
      var consumer = ring.takeConsumer()
      judge("many-producer ring", hotLoopManyProducers(&producer, &consumer, count))
    }
    do {
      let ring = try BroadcastRing<UInt64>(capacity: 1024, repeating: 0, in: arena)
      var producer = ring.takeProducer()
      var consumer = try ring.join("first")
      var follower = try ring.join("second", after: [consumer.seat])
      judge("broadcast ring", hotLoopBroadcast(&producer, &consumer, &follower, count))
    }
    // Calls on purpose: were it not reported, the look at the machine code would see nothing.
    _ = hotLoopPlantedCall(count)
    return failures
  }

  @inline(never) static func hotLoopLatencyRing(
    _ producer: inout LatencyRing<UInt64>.Producer, _ consumer: inout LatencyRing<UInt64>.Consumer, _ count: Int
  ) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count {
      while !producer.tryPush(UInt64(truncatingIfNeeded: number)) { spinPause() }
      sum &+= consumer.tryPop() ?? 0
    }
    return sum
  }

  @inline(never) static func hotLoopThroughputRing(
    _ producer: inout ThroughputRing<UInt64>.Producer, _ consumer: inout ThroughputRing<UInt64>.Consumer, _ count: Int
  ) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count {
      while !producer.tryPush(UInt64(truncatingIfNeeded: number)) { spinPause() }
      sum &+= consumer.tryPop() ?? 0
    }
    return sum
  }

  @inline(never) static func hotLoopThroughputBatch(
    _ producer: inout ThroughputRing<UInt64>.Producer, _ consumer: inout ThroughputRing<UInt64>.Consumer, _ count: Int
  ) -> UInt64 {
    var sum: UInt64 = 0
    var next = 0
    while next < count {
      var slots = producer.claim(upTo: min(32, count - next))
      let claimed = slots.count
      for index in 0..<claimed { slots[index] = UInt64(truncatingIfNeeded: next &+ index) }
      producer.publish(claimed)
      next += claimed
      var there = 0
      do {
        let view = consumer.available(upTo: 64)
        there = view.count
        for index in 0..<there { sum &+= view[index] }
      }
      consumer.release(there)
    }
    return sum
  }

  @inline(never) static func hotLoopManyProducers(
    _ producer: inout ManyProducerRing<UInt64>.Producer, _ consumer: inout ManyProducerRing<UInt64>.Consumer,
    _ count: Int
  ) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count {
      while !producer.tryPush(UInt64(truncatingIfNeeded: number)) { spinPause() }
      sum &+= consumer.tryPop() ?? 0
    }
    return sum
  }

  @inline(never) static func hotLoopBroadcast(
    _ producer: inout BroadcastProducer<UInt64>, _ consumer: inout BroadcastConsumer<UInt64>,
    _ follower: inout BroadcastConsumer<UInt64>, _ count: Int
  ) -> UInt64 {
    var sum: UInt64 = 0
    var next = 0
    while next < count {
      var slots = producer.claim(upTo: min(32, count - next))
      let claimed = slots.count
      for index in 0..<claimed { slots[index] = UInt64(truncatingIfNeeded: next &+ index) }
      producer.publish(claimed)
      next += claimed
      var there = 0
      do {
        let view = consumer.available()
        there = view.count
        for index in 0..<there { sum &+= view[index] }
      }
      consumer.release(there)
      while follower.tryPop() != nil {}
    }
    return sum
  }

  @inline(never) static func hotLoopSnapshot(
    _ reader: inout SnapshotReader<UInt64>, _ count: Int
  ) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count {
      if reader.refresh() { sum &+= reader.value }
      sum &+= UInt64(truncatingIfNeeded: number) &+ reader.value
    }
    return sum
  }

  @inline(never) static func hotLoopPlantedCall(_ count: Int) -> Int {
    var numbers: [Int] = []
    for number in 0..<(count & 1023) { numbers.append(number) }
    return numbers.count
  }
}
