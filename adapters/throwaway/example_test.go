package throwaway_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/adapters/throwaway"
)

func ExampleStartPostgres() {
	ctx := context.Background()
	db, err := throwaway.StartPostgres(ctx, throwaway.PostgresConfig{})
	if err != nil {
		fmt.Println(err) // says what to install
		return
	}
	defer db.Close()
	fmt.Println("connect to", db.URL("postgres"))
	db.Restart(ctx, throwaway.Immediate)
}

func ExampleMissingError() {
	err := fmt.Errorf("start: %w", &throwaway.MissingError{Program: "initdb", Package: "postgresql"})
	var missing *throwaway.MissingError
	if errors.As(err, &missing) {
		fmt.Println("apt-get install", missing.Package)
	}
	// Output: apt-get install postgresql
}
