/// What k3s, kubectl and etcd say, as the facts of `status` meet it.
enum StatusPages {
  /// Certificates that end on 1 November 2024, on 10 November 2023 and on 8 November 2052.
  static let year =
    "MIIBSDCB7gIBATAKBggqhkjOPQQDAjAwMRUwEwYDVQQDDAxzeXN0ZW06YWRtaW4xFzAVBgNVBAoMDnN5c3Rl"
    + "bTptYXN0ZXJzMB4XDTIzMTEwMTAwMDAwMFoXDTI0MTEwMTAwMDAwMFowMDEVMBMGA1UEAwwMc3lzdGVtOmFk"
    + "bWluMRcwFQYDVQQKDA5zeXN0ZW06bWFzdGVyczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHU3wzWu8VvE"
    + "HwjfOf+AGijOlYHWGMjV8eSFp6ipTu/E5Ei5Lpkb10u4AKuRoRFBYHEtyNpDcuxzmt6WRmG9LWMwCgYIKoZI"
    + "zj0EAwIDSQAwRgIhAJBfEwE9YrmkVLH9JfnjRG5vuZif9ndB2+35I5Iwg3lFAiEAt6CJpYyKZOipFfA9qsEC"
    + "m8dM7v7fbqhmIEfTKr9LbVs="
  static let ended =
    "MIIBVDCB+gIBAjAKBggqhkjOPQQDAjA2MR0wGwYDVQQDDBRzeXN0ZW06bm9kZTptYXN0ZXItMjEVMBMGA1UE"
    + "CgwMc3lzdGVtOm5vZGVzMB4XDTIyMTExMDAwMDAwMFoXDTIzMTExMDAwMDAwMFowNjEdMBsGA1UEAwwUc3lz"
    + "dGVtOm5vZGU6bWFzdGVyLTIxFTATBgNVBAoMDHN5c3RlbTpub2RlczBZMBMGByqGSM49AgEGCCqGSM49AwEH"
    + "A0IABCAjS1IQwN2x8QsntlZ1N+PyGethMbsZ9LK/i8YhQxeoTqmShvEpMmhHMRIvDVrnVY9NfPhPPLvQ+G+r"
    + "qkkYp2UwCgYIKoZIzj0EAwIDSQAwRgIhAJ+ZS/kK45ZJ0WVK+6lnqiFuP6y0bnCFuufSw69cmm5XAiEA643R"
    + "Y3Iqe0pZsjbdTM41PY/WNKs4p1tb5iFrLtmNhL4="
  static let decades =
    "MIIBLjCB1gIBAzAKBggqhkjOPQQDAjAjMSEwHwYDVQQDDBhrM3Mtc2VydmVyLWNhQDE2NjkwMDAwMDAwIBcN"
    + "MjIxMTEwMDAwMDAwWhgPMjA1MjExMDgwMDAwMDBaMCMxITAfBgNVBAMMGGszcy1zZXJ2ZXItY2FAMTY2OTAw"
    + "MDAwMDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABP6fGIh2eMF8OhUAWhkswP+70CmlBvE+Epb1MpEb7Koz"
    + "xsF0iCjHRZ7vtknAQ0S4eX9uZSDxDOFcsLYX9ne2hdswCgYIKoZIzj0EAwIDRwAwRAIgfJ05MaInTvTaLq7E"
    + "qQWFDVZRXAhlefJ5coKkq8LyOtcCIEsW9StPDXskXxHQr0kyYxpEsjzwfwXKidKzQtaA9TQT"

  /// A part of what etcd 3.5 prints under /metrics.
  static let etcd = """
    # HELP etcd_cluster_version Which version is running. 1 for 'cluster_version' label.
    # TYPE etcd_cluster_version gauge
    etcd_cluster_version{cluster_version="3.5"} 1
    # HELP etcd_disk_wal_fsync_duration_seconds The latency distributions of fsync called by WAL.
    # TYPE etcd_disk_wal_fsync_duration_seconds histogram
    etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 400
    etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 800
    etcd_disk_wal_fsync_duration_seconds_bucket{le="0.004"} 950
    etcd_disk_wal_fsync_duration_seconds_bucket{le="0.008"} 980
    etcd_disk_wal_fsync_duration_seconds_bucket{le="0.016"} 1000
    etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 1000
    etcd_disk_wal_fsync_duration_seconds_sum 2.1
    etcd_disk_wal_fsync_duration_seconds_count 1000
    # TYPE etcd_mvcc_db_total_size_in_bytes gauge
    etcd_mvcc_db_total_size_in_bytes 2.5513984e+07
    etcd_mvcc_db_total_size_in_use_in_bytes 1.1403264e+07
    etcd_network_peer_sent_bytes_total{To="dcb68c82481661be"} 1.7e+06
    etcd_server_has_leader 1
    etcd_server_id{server_id="8e9e05c52164694d"} 1
    etcd_server_is_leader 0
    etcd_server_is_learner 1
    etcd_server_leader_changes_seen_total 3
    etcd_server_quota_backend_bytes 2.147483648e+09
    go_goroutines 212

    """

  static let nodes = [
    "node\tmaster-1\t\t{\"kubernetes.io/hostname\":\"master-1\","
      + "\"node-role.kubernetes.io/control-plane\":\"true\"}\t\tFalse\tFalse\tFalse\t\t"
      + "KubeletReady\tkubelet is posting ready status",
    "node\tworker-1\ttrue\t{\"plan.upgrade.cattle.io/agents\":\"abc\",\"zone\":\"a\","
      + "\"plan.upgrade.cattle.io/other\":\"def\"}\tapply-1\tTrue\tFalse\tFalse\tFalse\t"
      + "KubeletNotReady\tno network: is it on?",
    "a second line of a message",
  ]

  static let plans = [
    "plan\tsystem-upgrade\tagents\tv1.29.1+k3s2\tv1.29.1-k3s2\tabc\tworker-1 worker-2\tTrue\t"
  ]

  static let pods = [
    "default       web-1       0/1   CrashLoopBackOff    31 (2m ago)   3d    10.42.1.7   worker-1   <none>   <none>",
    "default       web-2       1/1   Running             1 (2d ago)    3d    10.42.1.8   worker-1   <none>   <none>",
    "default       job-1       0/1   Completed           0             3d    10.42.1.9   worker-1   <none>   <none>",
    "default       gone-1      0/1   Evicted             0             3d    <none>      worker-2   <none>   <none>",
    "kube-system   new         0/1   ContainerCreating   0             31s   <none>      <none>     <none>   <none>",
  ]

  /// With the label that the Job controller sets in the last column.
  static let podsOfJobs = [
    "system-upgrade apply-agents-on-a-x 0/1 Error 1 (2m ago) 3m 10.42.1.7 worker-1 <none> <none> apply-agents-on-a",
    "system-upgrade apply-agents-on-b-x 0/1 Error 0 3m 10.42.2.7 worker-2 <none> <none> apply-agents-on-b",
    "shop apply-agents-on-a-y 0/1 Error 0 3m 10.42.1.8 worker-1 <none> <none> apply-agents-on-a",
    "shop gone-z 0/1 OOMKilled 0 3m 10.42.1.9 worker-1 <none> <none> gone",
    "shop alone 0/1 Error 0 3m 10.42.1.10 worker-1 <none> <none>   ",
  ]

  static let jobs = [
    "job\tsystem-upgrade\tapply-agents-on-a\tTrue", "job\tsystem-upgrade\tapply-agents-on-b\t",
    "job\tshop\tapply-agents-on-a\t",
  ]
}
