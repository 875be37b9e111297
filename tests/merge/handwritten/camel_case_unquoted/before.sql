Merge Into Final.OrderItem As Target
Using (
    Select Op, OrderItemId, ProductId, Quantity
    From Staging.OrderItem_CDC
    Qualify Row_Number() Over (Partition By OrderItemId Order By CommitTs Desc) = 1
) As Source
On Target.OrderItemId = Source.OrderItemId
When Matched And Source.Op = 'D' Then Delete
When Matched Then Update Set
    Target.ProductId = Source.ProductId,
    Target.Quantity = Source.Quantity
When Not Matched And Source.Op <> 'D' Then Insert (OrderItemId, ProductId, Quantity)
Values (Source.OrderItemId, Source.ProductId, Source.Quantity);
